"""What the tests of the admin port share: its listeners on sockets of their own, before a control of paper."""

from __future__ import annotations

import pytest
from admincontrol import FakeControl, serving


@pytest.fixture
def control():
    return FakeControl()


@pytest.fixture
async def api(control):
    async with serving(control) as api:
        yield api
