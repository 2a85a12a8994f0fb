from __future__ import annotations

import pytest

from proxy.settings.nearest import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        pytest.param("tll", ["ttl", "tags"], ', did you mean "ttl"?', id="a slip"),
        pytest.param("colour", ["ttl", "tags"], ", known: tags, ttl", id="nothing near"),
        pytest.param("colour", [], "", id="nothing known"),
    ],
)
def test_the_nearest_known_word_is_offered(word, known, hint):
    assert did_you_mean(word, known) == hint
