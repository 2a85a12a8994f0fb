"""The backend, shaped like TreeBeard's: 300 ms per answer, no caching fields, a freeze beyond twelve at once.

What the application does and a cache must live with is here too: CORS fields only for requests with an ``Origin``,
an ``X-Request-ID`` in every answer, constant rate-limit fields, 405 to HEAD, 307 from a trailing slash.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from proxy.demo.catalogue import PASSWORD, new_catalogue
from proxy.demo.tokens import LIFETIME, sign, subject_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.demo.catalogue import User

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

AT_ONCE: Final = 12
"""Requests it can work on; the application has 15 database connections, health checks need some."""

API: Final = "/api/v1"


class Backend:
    """The application.

    ``answered`` counts answers, ``most_at_once`` what was in flight together, ``overused`` the requests that came while
    it had its hands full: the real one would have frozen.
    """

    def __init__(self, delay: float = 0.3, plans: int = 20) -> None:
        self.answered = 0
        self.most_at_once = 0
        self.overused = 0
        self._delay = delay
        self._at_once = 0
        self._secret = secrets.token_bytes(32)
        self._data = new_catalogue(plans)

    def application(self) -> web.Application:
        """Return it as aiohttp runs it."""
        app = web.Application(middlewares=[self._every_answer])
        routes: list[tuple[str, str, Handler]] = [
            ("GET", f"{API}/plans/catalog", self.catalog),
            ("GET", f"{API}/plans/{{plan_id}}", self.plan),
            ("PUT", f"{API}/admin/plans/{{plan_id}}", self.update_plan),
            ("GET", f"{API}/recommendations/user/{{user_id}}", self.recommendations),
            ("GET", f"{API}/users/preferences", self.preferences),
            ("POST", f"{API}/users/preferences", self.set_preferences),
            ("POST", f"{API}/auth/login", self.login),
            ("GET", f"{API}/auth/me", self.me),
            ("GET", "/health", self.health),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, path, handler)
        return app

    # What every answer has in common.

    @web.middleware
    async def _every_answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.overused += self._at_once > AT_ONCE
        try:
            await asyncio.sleep(self._delay)
            response = await _answer(request, handler)
        finally:
            self._at_once -= 1
            self.answered += 1
        response.headers["X-Request-ID"] = request.headers.get("X-Request-ID", str(uuid.uuid4()))
        response.headers["X-RateLimit-Limit"] = "1000"
        response.headers["X-RateLimit-Remaining"] = "999"
        if origin := request.headers.get("Origin"):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Vary"] = "Origin"
        return response

    # The surface.

    async def catalog(self, request: web.Request) -> web.Response:
        """List plans, filtered and in pages."""
        plans = list(self._data.plans.values())
        zip_code, plan_type = request.query.get("zip_code"), request.query.get("plan_type")
        least, longest = _number(request, "min_renewable", 0), _number(request, "max_contract_length", 1000)
        plans = [
            plan
            for plan in plans
            if zip_code in {None, *plan["zip_codes"]}
            and plan_type in {None, plan["plan_type"]}
            and plan["renewable_percent"] >= least
            and plan["contract_months"] <= longest
        ]
        page, size = _number(request, "page", 1), _number(request, "page_size", 10)
        shown = plans[(page - 1) * size : page * size]
        return web.json_response({"items": shown, "total": len(plans), "page": page, "page_size": size})

    async def plan(self, request: web.Request) -> web.Response:
        """Show one plan."""
        return web.json_response(self._plan(request))

    async def update_plan(self, request: web.Request) -> web.Response:
        """Change one plan; administrators only."""
        if not self._bearer(request).is_admin:
            raise web.HTTPForbidden(text="Administrators only")
        plan = self._plan(request)
        changes = await _json_object(request)
        plan.update((name, value) for name, value in changes.items() if name in plan and name != "id")
        return web.json_response(plan)

    async def recommendations(self, request: web.Request) -> web.Response:
        """Show a user's own recommendations; an administrator may see anybody's."""
        bearer, wanted = self._bearer(request), request.match_info["user_id"]
        if wanted != bearer.id and not bearer.is_admin:
            raise web.HTTPForbidden(text="Not yours")
        if wanted not in self._data.users:
            raise web.HTTPNotFound(text="No such user")
        best = sorted(self._data.plans.values(), key=lambda plan: float(plan["rate_cents_per_kwh"]))[:3]
        items = [{"rank": rank, "plan": plan} for rank, plan in enumerate(best, 1)]
        return web.json_response({"user_id": wanted, "items": items})

    async def preferences(self, request: web.Request) -> web.Response:
        """Show the bearer's preferences."""
        bearer = self._bearer(request)
        return web.json_response({"user": bearer.name, **bearer.preferences})

    async def set_preferences(self, request: web.Request) -> web.Response:
        """Change the bearer's preferences."""
        bearer = self._bearer(request)
        bearer.preferences.update(await _json_object(request))
        return web.json_response({"user": bearer.name, **bearer.preferences})

    async def login(self, request: web.Request) -> web.Response:
        """Hand out a token for e-mail and password."""
        asked = await _json_object(request)
        user = self._data.user_by_email(str(asked.get("email")))
        if user is None or asked.get("password") != PASSWORD:
            raise web.HTTPUnauthorized(text="Wrong e-mail or password")
        token = sign(user.id, time.time(), self._secret)
        return web.json_response({"access_token": token, "token_type": "bearer", "expires_in": LIFETIME})

    async def me(self, request: web.Request) -> web.Response:
        """Show the bearer's account."""
        bearer = self._bearer(request)
        return web.json_response({"id": bearer.id, "name": bearer.name, "email": bearer.email})

    async def health(self, _request: web.Request) -> web.Response:
        """Say that it is there."""
        return web.json_response({"status": "healthy"})

    # What they need.

    def _bearer(self, request: web.Request) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        subject = subject_of(token, time.time(), self._secret) if scheme.lower() == "bearer" else None
        if subject is None:
            raise web.HTTPUnauthorized(text="Not authenticated")
        return self._data.users[subject]

    def _plan(self, request: web.Request) -> dict[str, Any]:
        try:
            wanted = str(uuid.UUID(request.match_info["plan_id"]))
        except ValueError:
            raise web.HTTPUnprocessableEntity(text="plan_id is no UUID") from None
        if wanted not in self._data.plans:
            raise web.HTTPNotFound(text="Plan not found")
        return self._data.plans[wanted]


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.endswith("/") and request.path != "/":
        location = f"http://{request.host}{request.path.rstrip('/')}"
        return web.Response(status=307, headers={"Location": location})
    try:
        return await handler(request)
    except web.HTTPException as refused:
        allowed = {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else None
        return web.json_response({"detail": refused.text}, status=refused.status, headers=allowed)


def _number(request: web.Request, name: str, default: int) -> int:
    try:
        return int(request.query.get(name, default))
    except ValueError:
        raise web.HTTPUnprocessableEntity(text=f"{name} is no number") from None


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPUnprocessableEntity(text="The body is no JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPUnprocessableEntity(text="The body is no object")
    return body
