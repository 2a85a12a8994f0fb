"""Who gets in, what the page keeps, and whether everybody can use it."""

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

TOKEN = "s3cr3t-token"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def held():
    return {}


async def guarded(opened, held):
    """Start the one sidecar with a token, at the first call."""
    if "shop" not in held:
        held["shop"] = await opened(SAPWOOD_ADMIN__TOKEN=TOKEN)
    return held["shop"]


async def test_with_a_token_it_asks_for_it_and_keeps_it_in_memory_only(visit, opened, held):
    shop = await guarded(opened, held)
    page = await visit(shop.page)
    token = page.get_by_label("Token")
    await expect(token).to_be_focused()
    await expect(page.locator("#board")).to_be_hidden()
    for wrong in ("not-the-token", "кроме ASCII"):
        await token.fill(wrong)
        await page.keyboard.press("Enter")
        await expect(page.locator("#login-error")).to_have_text("This token was refused.")
        await expect(token).to_have_value("")
    await expect(page.locator("#board")).to_be_hidden()
    await token.fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#board")).to_be_visible()
    await expect(page.locator("#login")).to_be_hidden()
    await page.get_by_label("URL or path").fill("/plans/1")
    await page.get_by_role("button", name="Explain").click()
    await expect(page.locator("#explain-result")).to_contain_text("Route plan")
    assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert await page.context.cookies() == []
    assert await page.locator("#token").input_value() == ""
    assert [url for url in page.asked if TOKEN in url] == []
    assert TOKEN not in await page.content()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Token")).to_be_focused()
    await expect(page.locator("#board")).to_be_hidden()


async def test_a_token_that_is_taken_back_brings_the_login_again(visit, opened, held):
    shop = await guarded(opened, held)
    page = await visit(shop.page)
    await page.get_by_label("Token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#board")).to_be_visible()
    await page.route("**/events", lambda route: route.fulfill(status=401, json={"detail": "a bearer token is needed"}))
    await shop.stop()
    await shop.start()
    await expect(page.locator("#login-error")).to_have_text("This token was refused.")
    await expect(page.locator("#board")).to_be_hidden()


async def test_pages_of_other_sites_can_neither_frame_it_nor_use_it(visit, shop):
    page = await visit(shop.page)
    answer = await page.request.get(shop.page)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    # The same host under another name is another origin to the browser.
    elsewhere = shop.page.replace("127.0.0.1", "localhost")
    other = await visit(elsewhere)
    failed = await other.evaluate(
        f"fetch('{shop.page}purge', {{method: 'POST', body: '{{\"all\": true}}'}}).then(() => 'sent', () => 'refused')"
    )
    other.asked.clear()
    other.errors.clear()
    await other.evaluate("window.violations = []")
    assert failed == "refused"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious(visit, shop, scheme, width):
    await shop.ask("/plans/1", 150)
    await shop.call("POST", "/purge", {"tags": ["news"], "mode": "soft"})
    page = await visit(shop.page, color_scheme=scheme, viewport={"width": width, "height": 900})
    await expect(page.locator("#purges li").first).to_be_visible()
    await page.get_by_label("Which").fill("plans")
    await page.get_by_role("button", name="Show what it would hit").click()
    await expect(page.get_by_role("button", name="Purge now")).to_be_visible()
    await page.get_by_label("URL or path").fill("http://a.example/plans/1")
    await page.get_by_role("button", name="Explain").click()
    await expect(page.locator("#explain-result")).to_contain_text("Stored now")
    assert await serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_the_login(visit, opened, held, scheme):
    page = await visit((await guarded(opened, held)).page, color_scheme=scheme)
    await page.get_by_label("Token").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#login-error")).to_have_text("This token was refused.")
    assert await serious(page) == []


async def serious(page):
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "it did look"
    return [
        (one["id"], node["target"], node["failureSummary"])
        for one in found["violations"] if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]  # fmt: skip


async def test_the_theme_follows_the_system_until_somebody_chooses(visit, shop):
    page = await visit(shop.page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(ground)
    button = page.get_by_role("button", name=re.compile("Theme"))
    await expect(button).to_have_text("Theme: auto")
    await button.click()
    await expect(button).to_have_text("Theme: light")
    light = await page.evaluate(ground)
    assert light != dark
    await page.reload()
    assert await page.evaluate(ground) == light
    assert await page.evaluate("Object.keys(localStorage)") == ["sapwood-theme"]


async def test_the_first_tab_leads_past_the_header(visit, shop):
    page = await visit(shop.page)
    await expect(page.locator("#board")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the numbers")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
