"""Bodies that have much in common, and a dictionary trained on such: shared by tests of compression."""

from __future__ import annotations

import json
import random
from functools import cache

from nouns import a_response

from proxy.store.codec import plainly
from proxy.store.training import train


def a_plan(number: int, *, kind: str = "plan") -> bytes:
    """About 1.5 KB of JSON: the names are alike, the numbers are not."""
    chance = random.Random(f"{kind} {number}")
    rates = [
        {
            f"{kind}_rate_per_kwh": chance.random(),
            f"{kind}_renewable_percentage": chance.randrange(100),
            f"{kind}_early_termination_fee": chance.randrange(300),
            f"{kind}_description": f"Your price per kWh stays the same, whatever the {kind} market does.",
        }
        for _ in range(8)
    ]
    return json.dumps({"id": number, f"{kind}_rates": rates}).encode()


def sections(count: int, *, kind: str = "plan") -> list[bytes]:
    """Records' sections of so many plans."""
    return [plainly(a_response(a_plan(number, kind=kind)), b"GET /plans/%d" % number) for number in range(count)]


@cache
def a_dictionary(kind: str = "plan"):
    """A dictionary for such plans."""
    dictionary = train(sections(400, kind=kind), 16 * 1024, None).dictionary
    assert dictionary is not None
    return dictionary
