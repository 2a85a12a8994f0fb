"""In a process of its own: what is frozen stays so."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys
from proxy.service import settling
gc.disable()
try:
    settling.settle({modules}).join(20)
finally:
    print(gc.isenabled(), gc.get_threshold() == settling.THRESHOLDS, gc.get_freeze_count() > 10_000, "structlog" in sys.modules)
"""


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        pytest.param("settling.FOR_LINES, settling.FOR_METRICS", "True True True True", id="all there is to import"),
        pytest.param("", "True True True False", id="nothing to import"),
        pytest.param("'proxy.no_such_module'", "True True True False", id="an import that fails is told"),
    ],
)
def test_a_process_collects_again_but_not_what_it_has_imported(modules, said):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(modules=modules)], capture_output=True, timeout=60, check=False, text=True
    )
    assert done.stdout.strip() == said
    assert ("No module named 'proxy.no_such_module'" in done.stderr) == ("no_such" in modules)
