"""A real Chromium before a real sidecar, under traffic."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from contextlib import AsyncExitStack

import pytest_asyncio
from backends import Backend, Client
from playwright.async_api import async_playwright, expect
from servers import Valkey
from sidecar import Sidecar

# What components.md found to work: no sandbox for root, nothing that phones home.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 30_000  # ms; the machine may be busy with other tests

RULES = """
version: 1
service: shop
hosts: [a.example]
upstream: {url: http://127.0.0.1:1}
log: {hits: 0%}
defaults: {ttl: 1h}
namespaces: {catalog: {version: v1, ttl: 1h}}
routes:
  - name: plan
    match: "GET /plans/{id}"
    namespace: catalog
    id: "{id}"
    authorization: ignore
    cookies: ignore
    key: {query: [currency]}
    tags: [plans, "plan:{id}"]
  - {name: news, match: GET /news, authorization: ignore, cookies: ignore, tags: [news]}
warm:
  - {name: all-plans, route: plan, source: {urls: [/plans/1, /plans/2]}}
"""


class Shop:
    """A running sidecar and its clients."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar
        self.page = f"http://127.0.0.1:{sidecar.admin_port}/"

    async def ask(self, target: str, times: int = 1) -> str:
        """GET it; return what the last answer's X-Cache-Status says."""
        async with Client(self.sidecar.port) as client:
            for _ in range(times):
                _, fields, _ = await client.ask(target)
        return fields[b"x-cache-status"].decode()

    async def call(self, method: str, path: str, body: object = None):
        return await asyncio.to_thread(self.sidecar.admin, method, path, body)

    async def stop(self) -> None:
        await asyncio.to_thread(self.sidecar.end)

    async def start(self) -> None:
        await asyncio.to_thread(self.sidecar.__enter__)


async def answer(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def opened():
    """What the session's browser tests share: a backend, a store, and a function that starts a sidecar before them."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Backend(answer))
        store = Valkey(port=True).start()
        stack.callback(store.close)

        async def start(**environ):
            sidecar = Sidecar(RULES, upstream=backend.url, store=store.url, environ=environ)
            await asyncio.to_thread(sidecar.__enter__)
            stack.push_async_callback(asyncio.to_thread, sidecar.__exit__)
            return Shop(sidecar)

        yield start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(opened):
    """One sidecar without a token."""
    return await opened()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser():
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        await browser.close()


VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser):
    """Open pages; at the end none of them has asked elsewhere, broken the policy, or thrown an error."""
    pages = []

    async def open_page(url, **options):
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(VIOLATIONS)
        page = await context.new_page()
        page.asked, page.errors = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on(
            "console", lambda said: page.errors.append(said.text) if "Content Security Policy" in said.text else None
        )
        await page.goto(url)
        pages.append((url, context, page))
        return page

    yield open_page
    for url, context, page in pages:
        assert [asked for asked in page.asked if not asked.startswith(url)] == []
        assert page.errors == []
        with contextlib.suppress(TypeError):
            assert await page.evaluate("window.violations") == []
        await context.close()
