import pytest

REDIS = "store: {url: 'redis://127.0.0.1:6379/0'}"


@pytest.mark.parametrize("store", ["redis://127.0.0.1:6379/0", "embedded://", "unix:///run/redis.sock"])
def test_several_processes_share_a_store(load, store):
    assert load(f"workers: 3\nstore: {{url: '{store}'}}").workers == 3


def test_one_process_is_the_default_and_needs_nothing(load):
    assert load("").workers == load("workers: 1").workers == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "workers: 2",
            "1:10 workers: 2 processes need a store that they share, memory:// is each process's own: "
            'give store.url, like "redis://127.0.0.1:6379/0" or "embedded://"',
            id="no store at all",
        ),
        pytest.param(
            "workers: 2\nstore: {url: 'memory://'}",
            "1:10 workers: 2 processes need a store that they share, memory:// is each process's own: "
            'give store.url, like "redis://127.0.0.1:6379/0" or "embedded://"',
            id="memory that cannot be shared",
        ),
        pytest.param(
            f"workers: 4\n{REDIS}\nupstream: {{url: 'http://127.0.0.1:8000', max_concurrent: 4}}",
            "1:10 workers: 4 processes need an upstream.max_concurrent of at least 5 "
            "(one request each, and one for warming), got 4",
            id="fewer requests than processes",
        ),
        pytest.param(f"workers: 65\n{REDIS}\nupstream: {{url: 'http://127.0.0.1:8000', max_concurrent: 100}}",
                     "1:10 workers: expected at most 64, got 65", id="more than a sidecar gets cores"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_a_mistake(mistakes, text, expected):
    assert mistakes(text) == [expected]


def test_as_many_as_there_may_be(load):
    text = f"workers: 64\n{REDIS}\nupstream: {{url: 'http://127.0.0.1:8000', max_concurrent: 65}}"
    assert load(text).workers == 64
