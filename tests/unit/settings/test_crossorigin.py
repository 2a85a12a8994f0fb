from __future__ import annotations

import pytest

from proxy.policy.rules import Cors


def test_every_word_is_read(load):
    cors = load(
        """
        cors: {origins: ["https://App.example"], methods: [GET, PUT], headers: [Content-Type], credentials: true,
               expose: [X-Request-ID], max_age: 5m}
        """
    ).book.cors
    assert cors == Cors((b"https://app.example",), (b"GET", b"PUT"), (b"content-type",), True, (b"x-request-id",), 300)


def test_left_out_the_backend_answers_for_itself(load):
    assert load().book.cors is None


def test_everybody_may_come_without_credentials(load):
    assert load("cors: {origins: ['*'], headers: ['*']}").book.cors.origins == (b"*",)


@pytest.mark.parametrize(
    ("cors", "message"),
    [
        ("{}", 'cors.origins: missing: expected a list, each an origin like "https://app.example" or "*"'),
        ("{origins: [app.example]}", 'cors.origins[0]: expected an origin like "https://app.example" or "*", got "app.example"'),
        ("{origins: ['*'], credentials: true}", 'cors.origins: no "*" together with credentials: true; browsers refuse it, so name each'),
        ("{origins: ['https://a'], headers: ['*'], credentials: true}", 'cors.headers: no "*" together with credentials: true; browsers refuse it, so name each'),
        ("{origins: ['https://a'], credentials: yes}", 'cors.credentials: expected true or false, got "yes"'),
        ("{origins: ['https://a'], origin: x}", 'cors.origin: unknown key, did you mean "origins"?'),
    ],
)  # fmt: skip
def test_mistakes(mistakes, cors, message):
    (found,) = mistakes(f"cors: {cors}")
    assert found.partition(" ")[2] == message
