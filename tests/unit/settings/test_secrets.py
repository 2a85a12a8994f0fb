from __future__ import annotations

import pytest

from proxy.settings.secrets import HIDDEN, read_secret


def noted(said):
    return [f"{one.path}: {one.message}" for one in (*said.desk.mistakes, *said.desk.cautions)]


@pytest.mark.parametrize(
    ("value", "files", "secret", "shown"),
    [
        pytest.param({}, {}, None, {}, id="none"),
        pytest.param({"token": "s3cret"}, {}, "s3cret", {"token": HIDDEN}, id="in the file"),
        pytest.param({"token_file": "/t"}, {"/t": "s3cret\n"}, "s3cret", {"token_file": "/t"}, id="mounted"),
    ],
)
def test_secrets_are_read_and_never_shown(section, value, files, secret, shown):
    said = section(value, files)
    assert read_secret(said, "token") == secret
    assert said.shown == shown
    said.close()
    assert noted(said) == []


@pytest.mark.parametrize(
    ("value", "files", "message"),
    [
        pytest.param({"token": "a", "token_file": "/t"}, {}, "top.token_file: both token and token_file are given", id="both"),
        pytest.param({"token_file": "/t"}, {}, "top.token_file: cannot be read: No such file or directory", id="not there"),
        pytest.param({"token_file": "/t"}, {"/t": " \n"}, "top.token_file: the file is empty", id="empty"),
        pytest.param({"token_file": ["/t"]}, {}, "top.token_file: expected a path, got a list", id="no path"),
        pytest.param({"token": "12345"}, {}, "top.token: expected text: quote it", id="a number is not repeated"),
        pytest.param({"token": {"a": "b"}}, {}, "top.token: expected text, got a mapping", id="a mapping"),
    ],
)  # fmt: skip
def test_secrets_that_cannot_be_read(section, value, files, message):
    said = section(value, files)
    assert read_secret(said, "token") is None
    assert noted(said) == [message]


def test_a_file_that_is_not_text_is_a_mistake(section):
    said = section({"token_file": "/t"})

    def undecodable(path):
        return b"\xff".decode()

    said.desk.read_file = undecodable
    assert read_secret(said, "token") is None
    assert noted(said) == ["top.token_file: cannot be read: it is not text"]


def test_where_secrets_are_not_mounted_a_missing_one_is_a_caution(section):
    said = section({"token_file": "/t"})
    said.desk.files_needed = False
    assert read_secret(said, "token") == HIDDEN
    assert [one.message for one in said.desk.cautions] == ["cannot be read here: No such file or directory"]
