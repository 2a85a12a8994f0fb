"""The dashboard as a person uses it: what it shows, what it does, and what it survives."""

import re

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

HOSTILE = "<img src=x onerror=document.title='broken'>"


def row(page, route):
    return page.locator("#routes-body tr", has=page.locator("th", has_text=route))


async def number_of(page, route):
    """Return how many requests the route's row says."""
    return int((await row(page, route).locator("[data-name=Requests]").inner_text()).replace(",", ""))


async def test_it_shows_live_numbers_under_traffic(visit, shop):
    page = await visit(shop.page)
    await expect(page.locator("#live")).to_have_text("live")
    await expect(page.locator("#status")).to_contain_text("healthy")
    await shop.ask("/plans/1", 20)
    await expect(row(page, "plan")).to_be_visible()
    before = await number_of(page, "plan")
    await shop.ask("/plans/1", 30)
    await expect(row(page, "plan").locator("[data-name=Requests]")).to_have_text(str(before + 30))
    await expect(page.locator("[data-tile='Hit rate'] .value")).to_contain_text("%")
    said = re.compile(r"Hit rate, now: hit rate [0-9.]+ %")
    await expect(page.locator("#plot-hit-rate .canvas")).to_have_attribute("aria-label", said)
    assert await page.locator(".canvas canvas").count() == 3
    await expect(page.locator("#replicas")).to_contain_text("this one")
    await expect(page.locator("#health")).to_contain_text("Store: redis")
    await expect(page.locator("#warmers")).to_contain_text("all-plans")
    assert await page.title() == "shop · Sapwood"


async def test_a_warmers_progress_is_shown(visit, shop):
    page = await visit(shop.page)
    assert (await shop.call("POST", "/warm", {"names": ["all-plans"]}))[0] == 202
    await expect(page.locator("#warmers")).to_contain_text("2 of 2")
    await expect(page.locator("#warmers")).to_contain_text("done")


async def test_routes_sort_by_keyboard(visit, shop):
    await shop.ask("/plans/1", 10)
    await shop.ask("/news", 3)
    page = await visit(shop.page)
    await expect(page.locator("#routes-body tr")).not_to_have_count(0)
    await expect(row(page, "news")).to_be_visible()
    names = page.locator("#routes-body th")
    head = page.locator("#routes-head th", has_text="Route")
    await head.locator("button").focus()
    await page.keyboard.press("Enter")
    await expect(head).to_have_attribute("aria-sort", "ascending")
    shown = await names.all_inner_texts()
    assert shown == sorted(shown)
    await page.keyboard.press("Enter")
    await expect(head).to_have_attribute("aria-sort", "descending")
    assert await names.all_inner_texts() == sorted(shown, reverse=True)
    await expect(page.locator("#routes-head th[aria-sort]")).to_have_count(1)


async def test_a_purge_shows_what_it_would_hit_before_it_does(visit, shop):
    await shop.ask("/plans/7", 5)
    assert await shop.ask("/plans/7") == "HIT"
    page = await visit(shop.page)
    await page.get_by_label("Which").fill("plan:7")
    await page.get_by_role("button", name="Show what it would hit").click()
    result = page.locator("#purge-result")
    await expect(result).to_contain_text("About 1 entry")
    await expect(result).to_contain_text("/plans/7")
    assert await shop.ask("/plans/7") == "HIT", "nothing was purged yet"
    # Another order than the one that was shown cannot be confirmed.
    await page.get_by_label("Which").fill("plan:8")
    await expect(result).to_be_empty()
    await page.get_by_label("Which").fill("plan:7")
    await page.get_by_role("button", name="Show what it would hit").click()
    await page.get_by_role("button", name="Purge now").click()
    await expect(result).to_contain_text("in force everywhere")
    assert await shop.ask("/plans/7") == "MISS"
    shown = page.locator("#purges li", has_text="tag:plan:7").first
    await expect(shown).to_contain_text("in force everywhere")
    await expect(shown).to_contain_text("by API")


async def test_a_purge_works_by_keyboard_alone(visit, shop):
    await shop.ask("/news", 2)
    page = await visit(shop.page)
    await expect(page.locator("#board")).to_be_visible()
    await page.get_by_label("Which").focus()
    await page.keyboard.type("news")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Purge now")).to_be_visible()
    await page.keyboard.press("Enter")
    assert await shop.ask("/news") == "HIT", "a key that is pressed twice does not purge"
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Purge now")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#purge-result")).to_contain_text("in force everywhere")
    assert await shop.ask("/news") == "MISS"


async def test_a_refused_purge_says_why(visit, shop):
    page = await visit(shop.page)
    await page.get_by_label("What", exact=True).select_option("patterns")
    await page.get_by_label("Which").fill("*")
    await page.get_by_role("button", name="Show what it would hit").click()
    await expect(page.locator("#purge-result")).to_contain_text("Nothing was purged.")
    await expect(page.locator("#purge-result")).to_contain_text("too wide")


async def test_a_url_is_explained(visit, shop):
    await shop.ask("/plans/42", 2)
    page = await visit(shop.page)
    await page.get_by_label("URL or path").fill("http://a.example/plans/42?utm_source=mail")
    await page.keyboard.press("Enter")
    result = page.locator("#explain-result")
    await expect(result).to_contain_text("Route plan")
    for said in ("may be cached", "catalog:v1:42", "plan:42", "?utm_source", "Stored now", "fresh"):
        await expect(result).to_contain_text(said)
    await page.get_by_label("URL or path").fill("/elsewhere")
    await page.keyboard.press("Enter")
    await expect(result).to_contain_text("passes through")


async def test_what_users_write_is_text(visit, shop):
    await shop.call("POST", "/purge", {"tags": [HOSTILE]})
    page = await visit(shop.page)
    await expect(page.locator("#purges")).to_contain_text(HOSTILE)
    await page.get_by_label("URL or path").fill(f"/plans/{HOSTILE}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#explain-result")).not_to_be_empty()
    assert await page.locator("img").count() == 0
    assert "broken" not in await page.title()


async def test_it_survives_the_sidecars_restart(visit, opened):
    shop = await opened()
    await shop.ask("/plans/1", 5)
    page = await visit(shop.page)
    await expect(page.locator("#live")).to_have_text("live")
    await shop.stop()
    assert b'"level":"error"' not in b"".join(shop.sidecar.lines), "it left without a stumble, with a page open"
    await expect(page.locator("#live")).to_have_text("lost")
    await expect(page.locator("#notice")).to_contain_text("The sidecar does not answer.")
    await shop.start()
    await expect(page.locator("#live")).to_have_text("live")
    await expect(page.locator("#notice")).to_be_hidden()
    await shop.ask("/news", 7)
    await expect(row(page, "news")).to_be_visible()


async def test_on_a_phone_nothing_lies_beyond_the_edge(visit, shop):
    await shop.ask("/plans/1", 5)
    page = await visit(shop.page, viewport={"width": 390, "height": 844}, has_touch=True)
    await expect(row(page, "plan")).to_be_visible()
    assert await page.evaluate("document.scrollingElement.scrollWidth") == 390
    await expect(page.get_by_role("row", name="plan").get_by_role("cell")).not_to_have_count(0)
