from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.settings import kinds
from proxy.settings.mistakes import Place
from proxy.settings.nodes import Scalar

HERE = Place("f", 1, 1)


@pytest.mark.parametrize(
    ("kind", "text", "value", "shown"),
    [
        (kinds.DURATION, "250ms", 0.25, "250ms"),
        (kinds.DURATION, "30s", 30.0, "30s"),
        (kinds.DURATION, "5m", 300.0, "5m"),
        (kinds.DURATION, "1h", 3600.0, "1h"),
        (kinds.DURATION, "7d", 604800.0, "7d"),
        (kinds.DURATION, "90s", 90.0, "90s"),
        (kinds.DURATION, "24h", 86400.0, "1d"),
        (kinds.DURATION, "0", 0.0, "0"),
        (kinds.DURATION, "0s", 0.0, "0"),
        (kinds.SIZE, "100B", 100, "100B"),
        (kinds.SIZE, "64KiB", 65536, "64KiB"),
        (kinds.SIZE, "8MiB", 8388608, "8MiB"),
        (kinds.SIZE, "1GiB", 1 << 30, "1GiB"),
        (kinds.SIZE, "0", 0, "0"),
        (kinds.PERCENTAGE, "1%", 0.01, "1%"),
        (kinds.PERCENTAGE, "0.5%", 0.005, "0.5%"),
        (kinds.PERCENTAGE, "100%", 1.0, "100%"),
        (kinds.BOOLEAN, "true", True, True),
        (kinds.BOOLEAN, "FALSE", False, False),
        (kinds.TEXT, "hello", "hello", "hello"),
        (kinds.whole(1), "12", 12, 12),
        (kinds.whole(), "0", 0, 0),
        (kinds.choice("json", "console"), "json", "json", "json"),
    ],
)
def test_values_are_read_and_shown(kind, text, value, shown):
    assert kind.read(Scalar(HERE, text)) == value
    assert kind.show(value) == shown


@pytest.mark.parametrize(
    ("kind", "scalar", "sentence"),
    [
        (kinds.DURATION, "1hr", 'expected a duration like "30s" or "1h", got "1hr"'),
        (kinds.DURATION, "30", 'expected a duration like "30s" or "1h", got 30'),
        (kinds.DURATION, "1h30m", 'expected a duration like "30s" or "1h", got "1h30m"'),
        (kinds.DURATION, "1.5h", 'expected a duration like "30s" or "1h", got "1.5h"'),
        (kinds.DURATION, "-5s", 'expected a duration like "30s" or "1h", got "-5s"'),
        (kinds.DURATION, "٣s", 'expected a duration like "30s" or "1h", got "٣s"'),
        (kinds.POSITIVE_DURATION, "0s", 'expected a duration above zero, like "30s", got "0s"'),
        (kinds.SIZE, "64KB", 'expected a size like "64KiB" or "8MiB", got "64KB"'),
        (kinds.SIZE, "64", 'expected a size like "64KiB" or "8MiB", got 64'),
        (kinds.POSITIVE_SIZE, "0", 'expected a size above zero, like "8MiB", got 0'),
        (kinds.PERCENTAGE, "0.01", 'expected a share like "1%", got 0.01'),
        (kinds.PERCENTAGE, "101%", 'expected a share like "1%", got "101%"'),
        (kinds.BOOLEAN, "yes", 'expected true or false, got "yes"'),
        (kinds.BOOLEAN, "on", 'expected true or false, got "on"'),
        (kinds.BOOLEAN, "1", "expected true or false, got 1"),
        (kinds.TEXT, "5", 'expected text, got 5: quote it, "5"'),
        (kinds.TEXT, "true", 'expected text, got true: quote it, "true"'),
        (kinds.TEXT, "", "expected text, got nothing"),
        (kinds.whole(1), "0", "expected a whole number from 1 up, got 0"),
        (kinds.whole(), "1.5", "expected a whole number from 0 up, got 1.5"),
        (kinds.whole(), "-1", "expected a whole number from 0 up, got -1"),
        (kinds.whole(), "010", "expected a whole number without leading zeros, got 010"),
        (kinds.whole(), "0x10", "expected a whole number from 0 up, got 0x10"),
        (kinds.whole(), "9091:1", 'expected a whole number from 0 up, got "9091:1"'),
        (kinds.whole(), Scalar(HERE, "12", quoted=True), 'expected a whole number from 0 up, got "12"'),
        (kinds.BOOLEAN, Scalar(HERE, "true", quoted=True), 'expected true or false, got "true"'),
        (kinds.choice("a", "b", "c"), "d", 'expected a, b or c, got "d"'),
        (kinds.choice("a"), "d", 'expected a, got "d"'),
        (kinds.by(int, "digits"), "5", 'expected text, got 5: quote it, "5"'),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(kind, scalar, sentence):
    with pytest.raises(ValueError, match="expected") as refused:
        kind.read(scalar if isinstance(scalar, Scalar) else Scalar(HERE, scalar))
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("kind", "text", "value"), [(kinds.whole(), "12", 12), (kinds.BOOLEAN, "true", True), (kinds.TEXT, "5", "5")]
)
def test_what_comes_from_the_environment_is_read_as_what_is_asked_for(kind, text, value):
    assert kind.read(Scalar(HERE, text, loose=True)) == value


def test_the_text_of_a_value_from_elsewhere_is_not_repeated():
    with pytest.raises(ValueError, match=r'got "\$\{TTL\}"'):
        kinds.DURATION.read(kinds.loose("s3cret", HERE, "${TTL}"))


@given(st.integers(0, 10**8).map(lambda ms: ms / 1000))
def test_a_shown_duration_means_the_same(seconds):
    assert kinds.DURATION.read(Scalar(HERE, kinds.show_duration(seconds))) == seconds
