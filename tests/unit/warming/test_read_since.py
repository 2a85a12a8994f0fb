"""Whether what was warmed is read at all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from proxy.popularity.ranking import FADES_BY
from proxy.warming.read_since import ReadSince


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        pytest.param([0.0, 0.0], [1.0, 0.0], 0.5, id="one of two"),
        pytest.param([5.0, 5.0], [5.0, 6.0], 0.5, id="one more reading"),
        pytest.param([8.0], [8.0 * FADES_BY], 0.0, id="only faded"),
        pytest.param([8.0], [9.0 * FADES_BY], 1.0, id="read and faded"),
        pytest.param([3.0], [0.0], 0.0, id="forgotten"),
    ],
)
async def test_the_share_that_was_read_since(before, after, share):
    answers = [before, after]

    async def reads_of(digests):
        return answers.pop(0)

    since = ReadSince(SimpleNamespace(reads_of=reads_of))
    assert await since.share("w") is None
    await since.remember("w", ["d"] * len(before))
    assert await since.share("other") is None
    assert await since.share("w") == share


async def test_a_run_of_nothing_leaves_what_was_known():
    async def reads_of(digests):
        return [1.0 for _ in digests]

    since = ReadSince(SimpleNamespace(reads_of=reads_of))
    await since.remember("w", ["d"])
    await since.remember("w", [])
    assert await since.share("w") == 0.0
