"""The registered name of each status."""

import pytest

from proxy.message.phrases import PHRASES


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (200, "OK"),
        (404, "Not Found"),
        (413, "Content Too Large"),
        (422, "Unprocessable Content"),
        (504, "Gateway Timeout"),
    ],
)
def test_a_status_has_the_name_of_rfc_9110_on_every_python(status, phrase):
    assert PHRASES[status] == phrase


def test_what_is_not_registered_has_none():
    assert 599 not in PHRASES
