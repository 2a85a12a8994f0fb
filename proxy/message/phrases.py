"""Reason phrases and problem titles: the registered name of each status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {
    # RFC 9110 gave these other names; Python has them from 3.13 on.
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""By status code; what is not registered is absent."""
