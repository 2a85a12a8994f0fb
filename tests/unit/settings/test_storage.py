from __future__ import annotations

import pytest

from proxy.backplane.options import BackplaneOptions
from proxy.store.options import DictionaryOptions, StoreOptions


def test_without_a_word_it_is_memory(load):
    settings = load()
    assert settings.backplane is None
    assert settings.store == StoreOptions(8 << 20, 1024, 64 << 20, 0.25, "stale", DictionaryOptions())
    assert settings.flights.max_body == 8 << 20
    assert settings.shown["store"]["url"] == "memory://"


def test_every_word_reaches_its_room(load):
    settings = load(
        """
        store: {url: redis://h/1, read_from: primary, max_connections: 2, connect_timeout: 3s, timeout: 4s,
                health_check_interval: 5s, max_body: 6MiB, compress_above: 7KiB,
                dictionary: {size: 32KiB, samples: 2MiB, every: 2h}}
        memory: {max_size: 1MiB, max_lag: 1s, on_store_failure: pass}
        """
    )
    assert settings.backplane == BackplaneOptions("redis://h/1", 2, 3.0, 4.0, 5.0)
    dictionary = DictionaryOptions(32 << 10, 2 << 20, 7200.0)
    assert settings.store == StoreOptions(6 << 20, 7 << 10, 1 << 20, 1.0, "pass", dictionary)
    assert settings.flights.max_body == 6 << 20
    assert settings.shown["memory"] == {"max_size": "1MiB", "max_lag": "1s", "on_store_failure": "pass"}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("store: {url: redis://h}", 64 << 20, id="by default"),
        pytest.param("store: {url: redis://h}\nmemory: {max_size: 1MiB}", 1 << 20, id="smaller than the largest body"),
        pytest.param("store: {url: redis://h}\nmemory: {max_size: 0}", 0, id="none"),
    ],
)
def test_a_shared_store_has_a_hot_tier(load, text, size):
    assert load(text).store.memory_size == size


@pytest.mark.parametrize("url", ["embedded://", "rediss://h", "unix:///run/redis.sock"])
def test_any_shared_store_has_a_backplane(load, url):
    assert load(f"store: {{url: '{url}'}}").backplane.url == url


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        pytest.param("url: redis://u:s3cret@h", "redis://u:s3cret@h", "redis://u:<hidden>@h", id="in the URL"),
        pytest.param("url: redis://h, password: s3cret", "redis://:s3cret@h", "redis://:<hidden>@h", id="apart"),
        pytest.param("url: redis://h, password_file: FILE", "redis://:s3cret@h", "redis://:<hidden>@h", id="mounted"),
    ],
)
def test_passwords_are_used_and_hidden(load, tmp_path, text, url, shown):
    (tmp_path / "secret").write_text("s3cret\n")
    settings = load(f"store: {{{text.replace('FILE', str(tmp_path / 'secret'))}}}")
    assert settings.backplane.url == url
    assert settings.shown["store"]["url"] == shown
    assert "s3cret" not in str(settings.shown) + repr(settings.backplane)


def test_the_whole_url_may_be_mounted(load, tmp_path):
    (tmp_path / "url").write_text("redis://:s3cret@h/0\n")
    settings = load(f"store: {{url_file: {tmp_path / 'url'}}}")
    assert settings.backplane.url == "redis://:s3cret@h/0"


@pytest.mark.parametrize("url", ["redis:/u:s3cret@h", "redis://u:s3cret@", "s3cret@h", "rdis://u:s3cret@h"])
def test_the_password_of_a_wrong_url_is_not_repeated(mistakes, tmp_path, url):
    (tmp_path / "url").write_text(url)
    found = mistakes(f"store: {{url_file: {tmp_path / 'url'}}}") + mistakes(f"store: {{url: '{url}'}}")
    assert len(found) == 2
    assert "s3cret" not in "".join(found)


def test_a_url_that_is_mounted_elsewhere_is_some_shared_store(load):
    settings = load("store: {url_file: /nowhere/url}", secrets_needed=False)
    assert settings.backplane is not None
    assert "cannot be read here" in settings.warnings[0].message


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("store: {url: 'redis+sentinel://h1,h2/m/0'}", "1:14 store.url: redis+sentinel:// is not built yet: name one server with redis:// or rediss://"),
        ("store: {url: 'redis+cluster://h1,h2'}", "1:14 store.url: redis+cluster:// is not built yet: name one server with redis:// or rediss://"),
        ("store: {url: 'redis+sentinel://h1'}", '1:14 store.url: expected the name of the monitored primary, like "redis+sentinel://h1,h2/mymaster/0"'),
        ("store: {url: redis://h, read_from: replica}", "1:36 store.read_from: reading from replicas is not built yet: only primary"),
        ("memory: {max_lag: 250}", '1:19 memory.max_lag: expected a duration like "30s" or "1h", got 250'),
        ("memory: {on_store_failure: refuse}", '1:28 memory.on_store_failure: expected stale or pass, got "refuse"'),
        ("memory: {max_size: 1MiB}", "1:20 memory.max_size: smaller than store.max_body (8388608 bytes), so the largest response would never fit"),
        ("store: {password: x}", "1:19 store.password: memory:// takes no password"),
        ("store: {url: redis://:a@h, password: x}", "1:38 store.password: the URL has a password of its own"),
        ("store: {url: redis://h, dictionary: {size: 2MiB}}", "1:44 store.dictionary.size: larger than 1024KiB, which is the most that a replica takes from another"),
        ("store: {url: redis://h, dictionary: {every: 0s}}", '1:45 store.dictionary.every: expected a duration above zero, like "30s", got "0s"'),
        ("store: {max_body: 0}", '1:19 store.max_body: expected a size above zero, like "8MiB", got 0'),
    ],
)  # fmt: skip
def test_what_is_refused(mistakes, text, mistake):
    found = mistakes(text)
    assert found[:1] == [mistake]
    assert len(found) == 1 or "not built" in found[1]
