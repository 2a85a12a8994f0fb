"""Values that do not change, made at the price of those that could.

What is frozen at run time sets each of its fields through ``object.__setattr__``, five times as dear as an assignment,
and a miss makes thirty values of up to fifteen fields. So the values on a request's way are frozen to the type checker,
which reads all of this code before it is let in, and plain at run time; they are compared and hashed as frozen ones are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, slots: bool, order: bool = False) -> Callable[[type], type]:
        """Return ``dataclass`` with these settings, but that nothing keeps a field from being assigned."""
        assert frozen, "a value that changes is a dataclass"
        return dataclass(slots=slots, order=order, unsafe_hash=True)


__all__ = ["value"]
