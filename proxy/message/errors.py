"""Whose fault it was. Foreign exceptions become one of these at the edge where they are met."""

from __future__ import annotations


class SapwoodError(Exception):
    """The root of every error this house raises on purpose."""


class MessageError(SapwoodError):
    """A message on the wire was not understood or broke off.

    ``status`` is what its sender is answered (client side) or what our client is (backend side).
    """

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class OriginError(SapwoodError):
    """The backend did not answer: ``status`` is 502, 503 or 504; ``detail`` may be shown to a client."""

    def __init__(self, detail: str, status: int = 502, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.retry_after = retry_after


class ClientGoneError(SapwoodError):
    """The client left before its answer was complete."""


class StoreError(SapwoodError):
    """The store did not answer or answered nonsense: survivable, counts as nothing found."""
