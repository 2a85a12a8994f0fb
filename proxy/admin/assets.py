"""The dashboard's page and its files: the same for everybody, without any data in them."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}

FILES: Final = {
    "/": "index.html",
    "/static/icon.svg": "icon.svg",
    "/static/tokens.css": "tokens.css",
    "/static/page.css": "page.css",
    "/static/parts.css": "parts.css",
    "/static/uplot.css": "vendor/uplot/uPlot.min.css",
    "/static/uplot.js": "vendor/uplot/uPlot.iife.min.js",
    "/static/theme.js": "theme.js",
    "/static/app.js": "app.js",
    "/static/api.js": "api.js",
    "/static/stream.js": "stream.js",
    "/static/dom.js": "dom.js",
    "/static/format.js": "format.js",
    "/static/plots.js": "plots.js",
    "/static/tiles.js": "tiles.js",
    "/static/routes.js": "routes.js",
    "/static/panels.js": "panels.js",
    "/static/purge.js": "purge.js",
    "/static/explain.js": "explain.js",
}
"""Which path is which file: nothing else is reachable, whatever a path says."""

# Nothing from elsewhere, nothing inline, nobody's frame. A form is never sent by the browser itself: should the scripts
# fail to load, a token typed into the login must not end up in a URL. Trusted Types: no text can become markup.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_FIELDS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",  # a page and scripts of two versions would not fit
}


class Assets:
    """Handlers for each file; read once."""

    def __init__(self) -> None:
        self._root = resources.files("proxy.admin") / "static"

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [web.get(path, self._handler(name)) for path, name in FILES.items()]

    def _handler(self, name: str) -> Handler:
        body = (self._root / name).read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        fields = {**_FIELDS, "Content-Type": _KINDS[name.rpartition(".")[2]], "ETag": etag}

        async def serve(request: web.Request) -> web.StreamResponse:
            if etag in request.headers.get("If-None-Match", ""):
                return web.Response(status=304, headers=fields)
            return web.Response(body=body, headers=fields)

        return serve
