"""Which variant a request selects (RFC 9111 section 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.headers import list_elements, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.message.headers import Headers
    from proxy.message.request import Request

Selecting = tuple[tuple[bytes, bytes | None], ...]

MOST_FIELDS: Final = 8  # a response that names more has a variant for everyone: it is treated as ``*``

_SAME_CODING: Final = {b"x-gzip": b"gzip", b"x-compress": b"compress"}  # RFC 9110 section 8.4.1


def fields_named(headers: Headers) -> tuple[bytes, ...] | None:
    """Return the field names of ``Vary``, lower-case, sorted, each once; None for ``*`` or for more than eight."""
    if b"vary" not in headers:
        return ()
    names = {name.lower() for name in list_elements(headers, b"vary")}
    return None if b"*" in names or len(names) > MOST_FIELDS else tuple(sorted(names))


def normalised(name: bytes, headers: Headers) -> bytes | None:
    """Return a field's value as it is compared, None where the request has no such field.

    Only what a field's own definition calls equal is made equal; of an unknown field that is several lines against
    one (RFC 9110 section 5.3) and the white space around its commas.
    """
    value = headers.combined(name)
    return None if value is None else _NORMAL_FORMS.get(name, _trimmed)(value)


def _trimmed(value: bytes) -> bytes:
    # Empty elements stay: only the backend knows whether they mean something in a field we do not know.
    if b'"' in value:
        return b",".join(split_list(value))
    return b",".join(part.strip(b" \t") for part in value.split(b","))


def _languages(value: bytes) -> bytes:
    """RFC 9110 section 12.5.4: letter case and order mean nothing, weights do."""
    return b",".join(sorted({element.lower().translate(None, b" \t") for element in split_list(value)}))


def _codings(value: bytes) -> bytes:
    """RFC 9110 section 12.5.3: the set of codings that may be sent; any of them will do for whoever reads it."""
    weights = dict(_coding_and_weight(element) for element in split_list(value))
    weights.pop(b"", None)  # a weight of nothing
    refused_by_default = not weights.get(b"*", True)
    if not weights.get(b"identity", not refused_by_default):
        weights.pop(b"identity", None)
        return b",".join([*_accepted(weights), b"identity;q=0"])
    return b",".join(name for name in _accepted(weights) if name != b"identity")


def _accepted(weights: dict[bytes, bool]) -> list[bytes]:
    named_refusals = [name + b";q=0" for name, wanted in weights.items() if not wanted and weights.get(b"*")]
    return sorted([*(name for name, wanted in weights.items() if wanted), *named_refusals])


def _coding_and_weight(element: bytes) -> tuple[bytes, bool]:
    coding, _, weight = element.lower().translate(None, b" \t").partition(b";")
    return _SAME_CODING.get(coding, coding), weight.rstrip(b"0") not in {b"q=", b"q=0."}


_NORMAL_FORMS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    b"accept-encoding": _codings,
    b"accept-language": _languages,
}


def selecting(names: Iterable[bytes], request: Request) -> Selecting:
    """Return each named field with the value that this request has for it, as ``StoredResponse.vary`` holds it."""
    return tuple((name, normalised(name, request.headers)) for name in names)


def fits(stored_vary: Selecting, request: Request) -> bool:
    """Say whether every selecting field of the request matches, absent ones too (section 4.1)."""
    return all(normalised(name, request.headers) == value for name, value in stored_vary)
