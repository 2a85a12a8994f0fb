"""Pages of energy plans as JSON of about 20 KB, the same for the same number in every run: what TreeBeard's catalogue has.

A market of 5,000 plans of thirty suppliers in five delivery areas; a page lists those that somebody filtered and sorted.
Each plan has an id, rates, fees and times of its own, and a text put together from what suppliers write.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

PLANS = 5000
PAGE = 21
AREAS = {  # the charge for delivery in cents, and where its zip codes begin
    "Oncor": (4.4701, 75001),
    "CenterPoint": (4.8532, 77001),
    "AEP Central": (5.1264, 78401),
    "AEP North": (4.9837, 79501),
    "TNMP": (5.6109, 77510),
}
SUPPLIERS = (
    *(
        "Bluebonnet Energy",
        "Lone Star Power & Light",
        "Gulf Coast Electric",
        "Brazos Retail Energy",
        "Pecan Street Power",
    ),
    *(
        "Hill Country Renewables",
        "Panhandle Wind Co-op",
        "TXU Select",
        "Reliant Choice",
        "Gexa Advantage",
        "Cirro Home",
    ),
    *("Green Mountain Direct", "Frontier Utilities", "Discount Power", "4Change Energy", "Champion Energy Services"),
    *(
        "Pulse Power",
        "Rhythm Clean",
        "Octopus Flex",
        "Chariot Solar",
        "Veteran Energy",
        "Payless Power",
        "Amigo Energy",
    ),
    *(
        "Just Energy",
        "Tara Energy",
        "Ranchero Power",
        "Constellation Home",
        "Direct Energy",
        "Express Energy",
        "New Power",
    ),
)
NAMES = (
    "Saver",
    "Secure",
    "Simple",
    "Free Nights",
    "Solar Days",
    "Truly Green",
    "Bright Start",
    "Cool Summer",
    "Smart Month",
)
FEATURES = (
    *("No monthly base charge", "Free electricity from 9 p.m. to 6 a.m.", "Bill credit of $100 at 1,000 kWh"),
    *("100% Texas wind", "Smart thermostat included", "No deposit with approved credit", "Paperless billing required"),
    *("Satisfaction guarantee of 60 days", "Weekly usage reports by e-mail", "Solar buyback at wholesale rates"),
    *("Average billing available", "Referral bonus of $50", "Autopay discount", "24/7 support in English and Spanish"),
)
SENTENCES = (
    "Lock in a low rate for the whole term and never worry about the season.",
    "Your price per kWh stays the same no matter what the market does.",
    "Perfect for homes that use more than 1,000 kWh in most months.",
    "The energy charge changes every month with the wholesale price of natural gas.",
    "All of your usage is matched with renewable energy certificates from wind farms in West Texas.",
    "Delivery charges of the local utility are passed through without a markup.",
    "A usage credit applies to each billing cycle that reaches the threshold.",
    "Cancel within the first fourteen days without an early termination fee.",
    "Ideal for small apartments and for customers who travel often.",
    "Rates include all recurring charges except state and local sales tax.",
    "Switching takes one business day in most areas, and there is no interruption of service.",
    "Time-of-use pricing rewards charging an electric vehicle at night.",
)


def page(number: int) -> bytes:
    """Return one page of the catalogue."""
    chance = random.Random(number)
    items = [plan(chance.randrange(PLANS)) for _ in range(PAGE)]
    total = chance.randrange(PAGE, PLANS)
    value = {"items": items, "total": total, "page": number % 40 + 1, "page_size": PAGE, "pages": -(-total // PAGE)}
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def plan(number: int) -> dict[str, Any]:
    """Return one plan of the market."""
    chance = random.Random(f"plan {number}")
    area = chance.choice(tuple(AREAS))
    delivery, first_zip = AREAS[area]
    months = chance.choice((1, 3, 6, 9, 12, 12, 12, 18, 24, 24, 36))
    rate = round(chance.uniform(7.9, 19.5), 1)
    created = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(60_000_000_000_000))
    updated = created + timedelta(microseconds=chance.randrange(9_000_000_000_000))
    identity = _id(chance)
    return {
        "id": identity,
        "supplier": _supplier(chance.randrange(len(SUPPLIERS))),
        "plan_name": f"{chance.choice(NAMES)} {months}" + chance.choice(("", "", " Plus", " Online", " Bundle")),
        "plan_type": chance.choice(("fixed", "fixed", "variable", "indexed", "time_of_use")),
        "rate_structure": {
            "rate_per_kwh": rate,
            "rate_at_500_kwh": round(rate + chance.uniform(0.4, 4), 1),
            "rate_at_1000_kwh": round(rate + chance.uniform(-1, 1), 1),
            "rate_at_2000_kwh": round(rate - chance.uniform(0, 1.5), 1),
            "tdu": area,
            "tdu_charge_cents": delivery,
        },
        "contract_length_months": months,
        "early_termination_fee": chance.choice((0, 50, 99, 150, 175, 200, 295, None)),
        "monthly_fee": chance.choice((0.0, 4.95, 9.95, 14.95)),
        "connection_fee": chance.choice((0.0, 0.0, 15.0)),
        "renewable_percentage": chance.choice((0, 6, 11, 20, 23, 50, 100, 100)),
        "zip_codes": [str(first_zip + step) for step in sorted(chance.sample(range(120), chance.randrange(1, 7)))],
        "features": chance.sample(FEATURES, chance.randrange(1, 4)),
        "description": " ".join(chance.sample(SENTENCES, 2)),
        "terms_url": f"https://docs.treebeard.example/efl/{identity}.pdf",
        "is_active": True,
        "created_at": created.isoformat(),
        "updated_at": updated.isoformat(),
    }


def _supplier(number: int) -> dict[str, Any]:
    chance = random.Random(f"supplier {number}")
    return {
        "id": _id(chance),
        "name": SUPPLIERS[number],
        "rating": round(chance.uniform(2.5, 5.0), 1),
        "phone": f"+1-8{chance.randrange(10)}8-{chance.randrange(200, 999)}-{chance.randrange(10_000):04d}",
    }


def _id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
