"""Every file in ``config/`` is loaded, has no mistake and no warning, and does what its own tests expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.settings import load_settings
from proxy.settings.check import check_text

CONFIG = Path(__file__).parents[2] / "config"
FILES = sorted(CONFIG.rglob("*.yaml"))

TREEBEARD_ROUTES = {
    "plan-catalog", "plan", "recommendation", "user-recommendations", "account", "preferences", "usage-history",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIG)))
def test_a_file_is_right_and_does_what_it_says(path):
    report = check_text(path.read_text(), path.name, {})
    assert report.as_text() == f"{path.name}: ok, {len(report.verdicts)} tests passed"
    assert report.ok
    assert report.verdicts


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIG)))
def test_every_route_is_expected_by_a_test_of_the_file(path):
    settings = load_settings(path.read_text(), source=path.name)
    assert {route.name for route in settings.book.routes} <= {case.expect.route for case in settings.tests}


def test_the_files_that_are_promised_are_there():
    names = {str(path.relative_to(CONFIG)) for path in FILES}
    assert {"treebeard.yaml", "minimal.yaml", "recipes/datasette.yaml"} <= names


def treebeard():
    return load_settings((CONFIG / "treebeard.yaml").read_text(), source="treebeard.yaml")


def test_treebeard_never_has_more_requests_in_flight_than_its_backend_stands():
    assert treebeard().origin.max_concurrent == 12


def test_every_route_of_treebeard_is_tested_stored_and_every_own_one_without_a_token():
    settings = treebeard()
    assert {route.name for route in settings.book.routes} == TREEBEARD_ROUTES
    assert {case.expect.route for case in settings.tests if case.expect.stored} == TREEBEARD_ROUTES
    own = {route.name for route in settings.book.routes if route.scope == "credential"}
    assert own == {case.expect.route for case in settings.tests if case.expect.passes} - {"none", None}


def test_every_write_of_treebeard_is_tested():
    settings = treebeard()
    tested = {
        match.path.text
        for case in settings.tests
        if case.expect.purges is not None and case.expect.purges.by_kind
        for rule in settings.book.writes
        for match in rule.matches
        if case.method.encode() in match.methods and match.path.match(case.url.encode()) is not None
    }
    assert tested == {match.path.text for rule in settings.book.writes for match in rule.matches}


def test_treebeard_runs_for_the_demo_as_two_sidecars_that_share_a_store():
    text = (CONFIG / "treebeard.yaml").read_text()
    one, two = (
        load_settings(
            text,
            overrides={
                "upstream.url": "http://127.0.0.1:9999",
                "upstream.host": "treebeard",
                "store.url": "embedded://",
                "listen": f"127.0.0.1:{port}",
                "admin.listen": f"127.0.0.1:{port + 1}",
                "probes.listen": f"127.0.0.1:{port + 2}",
            },
        )
        for port in (8081, 8091)
    )
    assert one.backplane == two.backplane
    assert one.book.routes == two.book.routes
    assert not one.book.keyed_authority
