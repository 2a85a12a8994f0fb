"""The demo backend has the facts of treebeard.md that a cache must live with."""

import asyncio

import pytest

from proxy.demo.backend import AT_ONCE, Backend
from proxy.demo.catalogue import id_of

PLAN = id_of("plan-0")
ALICE = id_of("alice@demo.example")
V1 = "/api/v1"


@pytest.fixture
def backend():
    return Backend(delay=0)


@pytest.fixture
async def client(backend, aiohttp_client):
    return await aiohttp_client(backend.application())


@pytest.fixture
def login(client):
    async def login(user, password="demo"):
        answer = await client.post(f"{V1}/auth/login", json={"email": f"{user}@demo.example", "password": password})
        document = await answer.json()
        return {"Authorization": f"Bearer {document.get('access_token')}"}

    return login


@pytest.mark.parametrize(
    ("method", "path", "who", "status"),
    [
        pytest.param("GET", "/plans/catalog", None, 200, id="the catalogue is public"),
        pytest.param("GET", "/plans/catalog?page=x", None, 422, id="a page that is no number"),
        pytest.param("GET", f"/plans/{PLAN}", None, 200, id="a plan is public"),
        pytest.param("GET", f"/plans/{ALICE}", None, 404, id="no such plan"),
        pytest.param("GET", "/plans/seven", None, 422, id="no UUID"),
        pytest.param("HEAD", "/plans/catalog", None, 405, id="HEAD is refused"),
        pytest.param("GET", "/plans/catalog/", None, 307, id="a trailing slash"),
        pytest.param("GET", "/users/preferences", None, 401, id="nobody's preferences"),
        pytest.param("GET", "/users/preferences", "alice", 200, id="one's own preferences"),
        pytest.param("GET", "/auth/me", "bob", 200, id="one's own account"),
        pytest.param("GET", f"/recommendations/user/{ALICE}", "alice", 200, id="one's own recommendations"),
        pytest.param("GET", f"/recommendations/user/{ALICE}", "bob", 403, id="another's recommendations"),
        pytest.param("GET", f"/recommendations/user/{ALICE}", "admin", 200, id="an administrator sees them"),
        pytest.param("GET", f"/recommendations/user/{PLAN}", "admin", 404, id="no such user"),
        pytest.param("PUT", f"/admin/plans/{PLAN}", "alice", 403, id="a customer changes no plan"),
        pytest.param("PUT", f"/admin/plans/{PLAN}", "admin", 422, id="a change that is no JSON"),
        pytest.param("GET", "/nowhere", None, 404, id="nowhere"),
    ],
)
async def test_who_may_see_what(client, login, method, path, who, status):
    headers = await login(who) if who else {}
    answer = await client.request(method, f"{V1}{path}", headers=headers, allow_redirects=False)
    assert answer.status == status
    assert not {"Cache-Control", "ETag", "Last-Modified", "Set-Cookie", "Vary"} & set(answer.headers)


async def test_a_wrong_password_gets_no_token(login):
    assert (await login("alice", "wrong"))["Authorization"] == "Bearer None"


async def test_writes_change_what_reads_show(client, login):
    await client.put(
        f"{V1}/admin/plans/{PLAN}", headers=await login("admin"), json={"rate_cents_per_kwh": 7.25, "id": "x"}
    )
    plan = await (await client.get(f"{V1}/plans/{PLAN}")).json()
    assert (plan["id"], plan["rate_cents_per_kwh"]) == (PLAN, 7.25)
    alice = await login("alice")
    await client.post(f"{V1}/users/preferences", headers=alice, json={"budget": 65})
    assert (await (await client.get(f"{V1}/users/preferences", headers=alice)).json())["budget"] == 65
    assert (await client.post(f"{V1}/users/preferences", headers=alice, json=[1])).status == 422


async def test_filters_and_pages_part_the_catalogue(client):
    async def ids(query):
        return [item["id"] for item in (await (await client.get(f"{V1}/plans/catalog?{query}")).json())["items"]]

    assert len(await ids("page_size=100")) == 20
    assert await ids("page_size=3&page=2") == (await ids("page_size=100"))[3:6]
    assert 0 < len(await ids("plan_type=fixed&min_renewable=50&max_contract_length=24&zip_code=75201")) < 20


async def test_cors_fields_come_only_with_an_origin_and_the_request_id_is_the_clients(client):
    plain = await client.get("/health", headers={"X-Request-ID": "4f"})
    assert plain.headers["X-Request-ID"] == "4f"
    assert "Access-Control-Allow-Origin" not in plain.headers
    asked = await client.get("/health", headers={"Origin": "https://app.example"})
    assert asked.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert asked.headers["Vary"] == "Origin"
    assert asked.headers["X-Request-ID"] not in {"", "4f"}


async def test_more_than_it_can_bear_is_counted(aiohttp_client):
    backend = Backend(delay=0.05)
    client = await aiohttp_client(backend.application())
    await asyncio.gather(*(client.get("/health") for _ in range(AT_ONCE)))
    assert (backend.most_at_once, backend.overused) == (AT_ONCE, 0)
    await asyncio.gather(*(client.get("/health") for _ in range(AT_ONCE + 3)))
    assert (backend.most_at_once, backend.overused, backend.answered) == (AT_ONCE + 3, 3, 2 * AT_ONCE + 3)
