"""One request for something that may be cached, and what is known of it on its way."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from proxy.message.values import value
from proxy.policy import forwarding

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.message.stored import StoredResponse
    from proxy.pipeline.lookup import Looked
    from proxy.policy.forwarding import Forwarding
    from proxy.policy.keys import Key
    from proxy.policy.plan import Forward
    from proxy.policy.rules import Matched, Route, RuleBook


@value(frozen=True, slots=True)
class Call:
    """A request as the front handed it over, with the rules of the moment; ``matched`` None: no route takes it."""

    request: Request
    body: Body | None
    interim: Callable[[Response], None] | None
    book: RuleBook
    forwarding: Forwarding
    matched: Matched | None

    @property
    def route(self) -> str:
        """The route as logs and metrics call it."""
        return self.matched.route.name if self.matched is not None else "none"

    @property
    def namespace(self) -> str:
        """The namespace as logs and metrics call it."""
        space = self.matched.route.namespace if self.matched is not None else None
        return space.name if space is not None else ""


@value(frozen=True, slots=True)
class Visit:
    """A request with the rules it came under; ``interim`` takes 1xx responses to its client, if it is still there.

    ``asked`` is what Vary selects by.
    """

    request: Request
    matched: Matched
    key: Key
    book: RuleBook
    forwarding: Forwarding
    interim: Callable[[Response], None] | None = None
    _asked: list[Request] = field(default_factory=list, repr=False, compare=False)

    @property
    def asked(self) -> Request:
        """The request with the fields that a fetch for it carries, worked out when somebody wants to know."""
        if not self._asked:
            self._asked.append(forwarding.as_fetched(self.request, self.route, cors=self.book.cors is not None))
        return self._asked[0]

    @property
    def route(self) -> Route:
        """The route that serves it."""
        return self.matched.route

    @property
    def namespace(self) -> str:
        """The route's namespace as logs and metrics call it."""
        return self.route.namespace.name if self.route.namespace is not None else ""


@value(frozen=True, slots=True)
class Quest:
    """A visit that needs the backend: what was found, why that is not enough, and what of it may still serve."""

    visit: Visit
    looked: Looked
    reason: Forward
    stored: StoredResponse | None
