"""The kinds of single values: what each expects, how it is read and how the running configuration shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from proxy.settings.nodes import Scalar, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.settings.mistakes import Place

T = TypeVar("T")
Word = TypeVar("Word", bound=str)


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """``parse`` raises ValueError: without words, the mistake says what was expected; with words, these."""

    expects: str
    parse: Callable[[Scalar], T]
    show: Callable[[T], Any] = _same

    def read(self, scalar: Scalar) -> T:
        """Convert a value. Raises ValueError with the whole sentence."""
        try:
            return self.parse(scalar)
        except ValueError as error:
            said = str(error)
            raise ValueError(said or f"expected {self.expects}, got {describe(scalar)}") from None


_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_SIZE: Final = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)", re.ASCII)
_PERCENTAGE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,15}", re.ASCII)


def _parse_duration(scalar: Scalar) -> float:
    if scalar.text == "0":  # nothing needs no unit
        return 0.0
    found = _DURATION.fullmatch(scalar.text)
    if found is None:
        raise ValueError
    return int(found[1]) * _UNITS[found[2]] if found[2] != "ms" else int(found[1]) / 1000


def show_duration(seconds: float) -> str:
    """Write seconds as ``250ms``, ``90s`` or ``1h``: the largest unit that is exact."""
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{round(seconds * 1000)}ms" if seconds else "0"


def _parse_size(scalar: Scalar) -> int:
    if scalar.text == "0":
        return 0
    found = _SIZE.fullmatch(scalar.text)
    if found is None:
        raise ValueError
    return int(found[1]) * _SIZES[found[2]]


def _show_size(octets: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        if octets and octets % _SIZES[unit] == 0:
            return f"{octets // _SIZES[unit]}{unit}"
    return f"{octets}B" if octets else "0"


def _parse_percentage(scalar: Scalar) -> float:
    found = _PERCENTAGE.fullmatch(scalar.text)
    if found is None or float(found[1]) > 100:  # noqa: PLR2004 - all of them
        raise ValueError
    return float(found[1]) / 100


def _parse_boolean(scalar: Scalar) -> bool:
    if not scalar.is_boolean:
        raise ValueError
    return scalar.text.lower() == "true"


def _parse_text(scalar: Scalar) -> str:
    if scalar.is_null:
        raise ValueError
    if not scalar.is_text:
        raise ValueError(f'expected text, got {describe(scalar)}: quote it, "{scalar.text}"')
    if not scalar.text:
        raise ValueError
    return scalar.text


DURATION: Final = Kind('a duration like "30s" or "1h"', _parse_duration, show_duration)
SIZE: Final = Kind('a size like "64KiB" or "8MiB"', _parse_size, _show_size)
PERCENTAGE: Final = Kind('a share like "1%"', _parse_percentage, lambda share: f"{round(share * 100, 6):g}%")
BOOLEAN: Final = Kind("true or false", _parse_boolean)
TEXT: Final = Kind("text", _parse_text)


def whole(least: int = 0) -> Kind[int]:
    """Read whole numbers from ``least`` up, decimal ones only: nobody means 8 by 010."""

    def parse(scalar: Scalar) -> int:
        if scalar.quoted or not _WHOLE.fullmatch(scalar.text):
            raise ValueError
        if scalar.text != "0" and scalar.text.startswith("0"):
            raise ValueError(f"expected a whole number without leading zeros, got {describe(scalar)}")
        if int(scalar.text) < least:
            raise ValueError
        return int(scalar.text)

    return Kind(f"a whole number from {least} up", parse)


def at_least(kind: Kind[float], least: float, sentence: str) -> Kind[float]:
    """Read a kind of number that must not be below ``least``; ``sentence`` says what is expected."""

    def parse(scalar: Scalar) -> float:
        value = kind.read(scalar)
        if value < least:
            raise ValueError
        return value

    return Kind(sentence, parse, kind.show)


POSITIVE_DURATION: Final = at_least(DURATION, 0.001, 'a duration above zero, like "30s"')


def _parse_positive_size(scalar: Scalar) -> int:
    octets = SIZE.read(scalar)
    if octets < 1:
        raise ValueError
    return octets


POSITIVE_SIZE: Final = Kind('a size above zero, like "8MiB"', _parse_positive_size, _show_size)


def choice(*words: Word) -> Kind[Word]:
    """Read one of a few words."""

    def parse(scalar: Scalar) -> Word:
        for word in words:
            if word == scalar.text:
                return word
        raise ValueError

    return Kind(" or ".join(filter(None, (", ".join(words[:-1]), words[-1]))), parse)


def by(function: Callable[[str], T], expects: str, show: Callable[[T], Any] = _same) -> Kind[T]:
    """Make a kind of a function from text; its ValueError's words are the mistake's, none means ``expects``."""
    return Kind(expects, lambda scalar: function(_parse_text(scalar)), show)


def loose(text: str, place: Place, written: str) -> Scalar:
    """Make a value of text that came from elsewhere; mistakes show ``written``."""
    return Scalar(place, text, loose=True, written=written)
