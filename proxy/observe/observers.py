"""One observer that stands for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.events import Event, Observer


class Fanout:
    """Tells every fact to each observer, in their order.

    An observer that breaks its promise not to raise costs neither the request nor the others their fact:
    ``on_failure`` hears its class name and the error.
    """

    def __init__(self, observers: tuple[Observer, ...], on_failure: Callable[[str, BaseException], None]) -> None:
        self._observers = observers
        self._on_failure = on_failure
        self._reporting = False

    def tell(self, event: Event) -> None:
        """Tell ``event`` to each."""
        for observer in self._observers:
            try:
                observer.tell(event)
            except Exception as error:  # noqa: BLE001 - whatever it is, the request it is about must go on
                self._failed(type(observer).__name__, error)

    def _failed(self, name: str, error: Exception) -> None:
        # on_failure usually tells a TaskFailed through this very object: the broken observer would fail on that as
        # well, for ever.
        if self._reporting:
            return
        self._reporting = True
        try:
            self._on_failure(name, error)
        finally:
            self._reporting = False
