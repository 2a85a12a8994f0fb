"""Orders from the leader to its workers, and how long it waits for what they say.

A worker that is not up is left out: it begins with what then runs. One that is too slow or dies under an order has not
carried it out, and whoever looks after the workers sees to it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from proxy.service.channel import ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.service.member import Member
    from proxy.settings import Settings

ANSWERS_WITHIN: Final = 1.0
"""Seconds for what a scrape or a call must wait for; who is slower is counted by what it last told."""

CHECKS_WITHIN: Final = 10.0
"""Seconds to read a configuration, which takes milliseconds, on a machine that has other things to do."""


async def ask_all(members: Iterable[Member], order: str, **said: Any) -> list[dict[str, Any]]:
    """Give an order to all; return the answers of those who have one in time."""
    answers = await asyncio.gather(
        *(member.channel.ask(order, ANSWERS_WITHIN, **said) for member in members if member.is_up),
        return_exceptions=True,
    )
    return [answer for answer in answers if isinstance(answer, dict)]


async def refresh_by_one(members: Iterable[Member], selectors: Sequence[str], most: int, at: str) -> int:
    """Let the one that has seen most reads of these fetch them again; return how many it does.

    ``at``: where the ledger is. A worker that had not heard of the purge would find that nothing needs fetching.
    """
    named = list(selectors)
    up = [member for member in members if member.is_up]
    reads = await asyncio.gather(*(_reads(member, named) for member in up))
    if not any(reads):
        return 0
    best = up[max(range(len(up)), key=lambda place: reads[place])]
    try:
        said = await best.channel.ask("refresh", ANSWERS_WITHIN, selectors=named, most=most, at=at)
    except ChannelError:
        return 0  # it died just now; what it would have fetched is fetched when it is asked for
    return int(said["refreshing"])


async def _reads(member: Member, selectors: list[str]) -> int:
    try:
        said = await member.channel.ask("would_hit", ANSWERS_WITHIN, selectors=selectors)
    except ChannelError:
        return 0
    return int(said["reads"])


async def refusal(member: Member, order: str, settings: Settings) -> str:
    """Give the order to check or to use a configuration; return why it could not be carried out, "" where it was."""
    try:
        said = await member.channel.ask(order, CHECKS_WITHIN, written=settings.written.as_dict())
    except ChannelError as error:
        return str(error)
    if said["mistakes"]:
        return "; ".join(said["mistakes"])
    if said["fingerprint"] != settings.fingerprint:
        return "it reads another configuration from the same text: has a file changed that this one names?"
    return ""
