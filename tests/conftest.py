"""What tests of many rooms share: a real Valkey, and an observer that remembers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages; `servers` is imported from here

from servers import Told, Valkey

# The gate gives the same verdict on the same tree; `make prove` looks for new examples.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("prove", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture(scope="session")
def shared_valkey():
    server = Valkey().start()
    yield server
    server.close()


@pytest.fixture
def valkey(shared_valkey):
    """An empty server, shared by tests that leave it running."""
    shared_valkey.command("FLUSHALL")
    return shared_valkey


@pytest.fixture
def own_valkey():
    """A server of the test's own: to be killed, paused, filled."""
    server = Valkey().start()
    yield server
    server.close()


@pytest.fixture
def told():
    return Told()
