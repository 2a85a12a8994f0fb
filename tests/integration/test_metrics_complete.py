"""What the interface names is what a running sidecar exports, name by name and label by label; and nothing of a user's."""

from __future__ import annotations

from scraping import WHO, exported, named, played


async def test_a_running_sidecar_exports_every_metric_of_the_interface_with_its_labels():
    text = await played()
    found = exported(text)
    assert {name: found.get(name) for name in named()} == named()
    assert WHO not in text
