"""A worker: a process that serves clients and does what its leader says, from its first order to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.message.errors import SapwoodError, StoreError
from proxy.message.selectors import Seq
from proxy.observe.events import TaskFailed
from proxy.observe.options import LogOptions
from proxy.observe.snapshots import snapshot
from proxy.service.channel import Channel
from proxy.service.control import Steering
from proxy.service.running import Service
from proxy.service.settling import FOR_LINES, settle
from proxy.service.shares import share_of
from proxy.service.traffic import Place
from proxy.settings import Mistakes, Settings, load_settings
from proxy.settings.written import Written

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

TELLS_EVERY: Final = 0.5
"""Seconds between two tellings of its counts: so much of them is lost when it is killed."""


class Worker:
    """One worker. ``inherited`` is the unix socket that all of them listen on, None where each has its port."""

    def __init__(self, inherited: socket.socket | None) -> None:
        self._inherited = inherited
        self._background = Background(self._failed)
        self._is_to_end = asyncio.Event()
        self._channel: Channel
        self._service: Service | None = None
        self._steering: Steering
        self._index = 0
        self._listen = ""

    async def run(self, end: socket.socket) -> None:
        """Do as the leader says on ``end``, until it says that it is over, SIGTERM does, or the leader is gone."""
        self._channel = await Channel.over(end, self._background)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._is_to_end.set)
        leading = self._background.start(self._channel.serve(self), name="orders")
        told = self._background.start(self._is_to_end.wait(), name="end")
        await asyncio.wait([leading, told], return_when=asyncio.FIRST_COMPLETED)
        if self._service is not None:
            await self._service.stop()  # at once if it was drained by order
            self._tell()
        await self._channel.close()
        await self._background.drain(0)

    def _failed(self, name: str, error: BaseException) -> None:
        if self._service is not None:
            self._service.house.observer.tell(TaskFailed(name, error))
        else:
            traceback.print_exception(error, file=sys.stderr)

    def hear(self, news: str, said: dict[str, Any]) -> None:
        """Nothing: a leader gives orders, and has no news."""

    async def obey(self, order: str, said: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order."""
        match order:
            case "begin":
                return {"failure": await self._begin(said)}
            case "check":
                return self._read(said["written"])[1]
            case "use":
                return self._use(said["written"])
            case "count":
                self._tell()
                return {}
            case "would_hit":
                return asdict(await self._steering.would_hit(said["selectors"]))
            case "refresh":
                return {"refreshing": await self._refresh(said["selectors"], said["most"], said["at"])}
            case "log":
                await self._steering.use_log(LogOptions(**said["options"]))
                return {}
            case "drain":
                await self._drain()
                return {}
            case _:
                raise SapwoodError(f"no such order: {order}")

    async def _begin(self, said: dict[str, Any]) -> str:
        """Build, and listen; return why not."""
        self._index, self._listen = said["index"], said["listen"]
        settings, answer = self._read(said["written"])
        if settings is None:
            return "; ".join(answer["mistakes"])
        service = Service(settings, place=Place(said["store_url"], self._inherited))
        try:
            await service.start()
        except (SapwoodError, OSError) as error:
            return str(error)
        self._service, self._steering = service, Steering(service)
        self._background.start(self._tell_ever_again(), name="counts")
        settle(FOR_LINES)
        return ""

    def _read(self, document: dict[str, Any]) -> tuple[Settings | None, dict[str, Any]]:
        """Return this worker's share of a configuration and what the leader is told of it."""
        written = Written.of(document)
        try:
            settings = load_settings(
                written.text, source=written.source, overrides=written.overrides, environ=os.environ
            )
        except Mistakes as refused:
            return None, {"mistakes": _lines(refused.mistakes), "fingerprint": ""}
        answer = {"mistakes": [], "fingerprint": settings.fingerprint}
        return share_of(settings, self._index, self._listen), answer

    def _use(self, document: dict[str, Any]) -> dict[str, Any]:
        settings, answer = self._read(document)
        if settings is not None and self._service is not None:
            self._service.use(settings)
        return answer

    async def _refresh(self, selectors: list[str], most: int, at: str) -> int:
        assert self._service is not None, "asked before it began"
        try:
            if at:
                await self._service.house.ledger.catch_up(Seq.parse(at))
        except StoreError:
            return 0  # nothing could be stored now either
        return await self._steering.refresh(selectors, most)

    async def _drain(self) -> None:
        assert self._service is not None, "drained before it began"
        await self._service.stop()
        self._tell()
        self._is_to_end.set()

    def _tell(self) -> None:
        assert self._service is not None, "asked before it began"
        counters = snapshot(self._service.house.counters)
        self._channel.tell("counts", counters=counters, gauges=asdict(self._steering.gauges()))

    async def _tell_ever_again(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(TELLS_EVERY)


def _lines(mistakes: Sequence[object]) -> list[str]:
    return [str(mistake) for mistake in mistakes]
