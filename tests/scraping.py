"""What a running sidecar exports, as a Prometheus would read it."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar import Sidecar


def scraped(sidecar: Sidecar) -> str:
    """Return the text of ``/metrics`` on the probe port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
        return answer.read().decode()
