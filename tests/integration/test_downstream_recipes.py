"""What the caches after the sidecar are told by the recipes that are written for them: a year for assets, five minutes for HTML."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.message.headers import Headers
from proxy.policy.downstream import for_client
from proxy.settings import load_settings

RECIPES = Path(__file__).parents[2] / "config" / "recipes"
YEAR, FIVE_MINUTES, AGE = 365 * 86400, 300, 7


def told(recipe, target):
    """What Cache-Control and CDN-Cache-Control say of a silent backend's answer that has been here for seven seconds."""
    settings = load_settings((RECIPES / f"{recipe}.yaml").read_text(), source=recipe)
    route = settings.book.route_for(b"GET", target).route
    fields = for_client(Headers([(b"Content-Type", b"text/html")]), route, status=200, age=AGE)
    return [fields.get(name) for name in (b"cache-control", b"cdn-cache-control")]


@pytest.mark.parametrize("recipe", ["cloudfront", "nginx-ingress", "envoy-istio"])
def test_an_asset_stays_a_year_wherever_it_is(recipe):
    year = b"max-age=%d, immutable, s-maxage=%d" % (YEAR + AGE, YEAR + AGE)
    assert told(recipe, b"/assets/app.3f9c2e.js") == [year, None]


@pytest.mark.parametrize("recipe", ["cloudfront", "nginx-ingress"])
def test_html_stays_five_minutes_in_the_cdn_and_is_asked_for_by_browsers(recipe):
    assert told(recipe, b"/about") == [b"max-age=%d, s-maxage=%d" % (AGE, FIVE_MINUTES + AGE), None]


def test_through_a_mesh_the_five_minutes_are_for_the_cdn_alone():
    assert told("envoy-istio", b"/about") == [b"max-age=%d" % AGE, b"max-age=%d" % (FIVE_MINUTES + AGE)]


@pytest.mark.parametrize("recipe", ["cloudfront", "nginx-ingress", "envoy-istio"])
def test_what_is_purged_by_tag_is_kept_by_nobody_else(recipe):
    assert told(recipe, b"/api/plans/7") == [b"max-age=%d" % AGE, None]


def test_what_is_one_credentials_own_has_no_lifetime_elsewhere():
    assert told("cloudfront", b"/api/account/me") == [b"private, no-cache", None]
