"""Both loops: uvloop runs in production, asyncio's own is what a debugger meets; their transports differ at the edges."""

from __future__ import annotations

import asyncio

import uvloop


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
