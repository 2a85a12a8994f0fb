"""The demo's plans and users. Nothing here outlives the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("6f1c1c1e-0a5e-4f0e-9a39-0d6f5a5b7a01")
PASSWORD: Final = "demo"  # noqa: S105  of users who exist for an afternoon on loopback


def id_of(name: str) -> str:
    """Return the same UUID for the same name, in every run: the printed lines can be kept."""
    return str(uuid5(_NAMESPACE, name))


@dataclass(slots=True)
class User:
    """One account; the only kind of value here that changes is what a test of invalidation needs to change."""

    email: str
    name: str
    is_admin: bool = False
    preferences: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The token's ``sub``."""
        return id_of(self.email)


@dataclass(slots=True)
class Catalogue:
    """All that the backend knows."""

    plans: dict[str, dict[str, Any]]
    users: dict[str, User]

    def user_by_email(self, email: str) -> User | None:
        """Return the account of that address."""
        return next((user for user in self.users.values() if user.email == email), None)


def new_catalogue(plans_listed: int = 20) -> Catalogue:
    """Return a fresh one: that many plans, two customers and an administrator."""
    plans = [_plan(number) for number in range(plans_listed)]
    users = [
        User("alice@demo.example", "Alice", preferences={"prefer_renewable": True, "budget": 80}),
        User("bob@demo.example", "Bob", preferences={"prefer_renewable": False, "budget": 120}),
        User("admin@demo.example", "Admin", is_admin=True),
    ]
    return Catalogue({plan["id"]: plan for plan in plans}, {user.id: user for user in users})


def _plan(number: int) -> dict[str, Any]:
    return {
        "id": id_of(f"plan-{number}"),
        "name": f"{('Prairie', 'Bluebonnet', 'Pecan', 'Cedar')[number % 4]} {12 * (1 + number % 3)}",
        "plan_type": ("fixed", "variable")[number % 2],
        "rate_cents_per_kwh": 9.5 + number / 4,
        "contract_months": 12 * (1 + number % 3),
        "renewable_percent": 25 * (number % 5),
        "zip_codes": ["78701", "75201", "77002"][: 1 + number % 3],
    }
