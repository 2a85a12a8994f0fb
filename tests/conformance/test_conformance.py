"""Every transcript in ``cases/``, played against the sidecar: what the RFCs say a shared cache does."""

from __future__ import annotations

import pytest
from playbook.cases import load_all


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in load_all()])
def test_transcript(case, stages):
    stages.play(case)
