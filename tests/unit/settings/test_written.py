import orjson

from proxy.settings import load_settings
from proxy.settings.written import Written

TEXT = "service: a\nupstream: {url: 'http://127.0.0.1:1'}\nadmin: {token: hunter2hunter2}\n"


def test_what_was_written_can_be_read_again_elsewhere():
    settings = load_settings(TEXT, source="f.yaml", overrides={"listen": "127.0.0.1:0"}, environ={})
    written = Written.of(orjson.loads(orjson.dumps(settings.written.as_dict())))
    again = load_settings(written.text, source=written.source, overrides=written.overrides, environ={})
    assert again == settings
    assert again.front.listen == "127.0.0.1:0"


def test_no_file_is_not_an_empty_file():
    settings = load_settings(None, overrides={"upstream.url": "http://127.0.0.1:1"})
    assert Written.of(settings.written.as_dict()).text is None


def test_it_does_not_show_what_may_be_secret():
    settings = load_settings(TEXT, overrides={"store.url": "redis://:hunter2@127.0.0.1"})
    assert "hunter2" not in repr(settings.written)
