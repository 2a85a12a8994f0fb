"""The stage for the transcripts in ``cases/``: one event loop, and one sidecar per distinct configuration."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages; `playbook` is imported from here

from playbook.stage import Stages


@pytest.fixture(scope="session")
def stages():
    from proxy.service import Service

    with asyncio.Runner() as runner:
        all_stages = Stages(runner, Service)
        yield all_stages
        all_stages.close()
