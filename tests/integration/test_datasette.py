"""Datasette, a program that nobody here wrote, behind the sidecar with its recipe: what clients see is what it says."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from servers import Valkey, _die_with_parent, free_port
from sidecar import Sidecar

RECIPE = Path(__file__).parents[2] / "config" / "recipes" / "datasette.yaml"

# What the sidecar says itself, and what each connection says for itself.
OURS = {"date", "age", "via", "cache-status", "x-cache-status", "x-request-id"}
FRAMING = {"connection", "keep-alive", "transfer-encoding", "content-length"}
# How long its own queries took is in Datasette's bodies, and differs from one answer to the next.
TIMES = re.compile(rb'"query_ms": [0-9.e-]+|Queries took [0-9.e-]+ms')

# Queries in order of their names: the backend gets them so, and repeats them in its links.
STORED = [
    pytest.param("/", id="the first page, which has no lifetime of its own"),
    pytest.param("/.json", id="the first page as JSON"),
    pytest.param("/shop", id="a database"),
    pytest.param("/shop.json", id="a database as JSON"),
    pytest.param("/shop/plans", id="a table"),
    pytest.param("/shop/plans.json", id="a table as JSON"),
    pytest.param("/shop/plans.json?_shape=array&_size=7", id="rows as objects"),
    pytest.param("/shop/plans.json?_next=10&_size=10", id="the second page of a table, with a link to the third"),
    pytest.param("/shop/plans?_facet=kind&_sort_desc=price", id="facets and an order"),
    pytest.param("/shop/plans.json?_facet=kind&_size=3", id="facets as JSON"),
    pytest.param("/shop/plans.json?_size=5&kind__exact=gr%C3%BCn", id="a filter beyond ASCII"),
    pytest.param("/shop/plans/7", id="a row"),
    pytest.param("/shop/plans/7.json", id="a row as JSON"),
    pytest.param("/shop/zones/a~2Fb.json", id="a row whose key has a slash"),
    pytest.param("/shop.json?sql=select+count(*)+as+n+from+plans", id="SQL in the query"),
    pytest.param("/shop/by_kind", id="a canned query"),
    pytest.param("/shop/by_kind.json", id="a canned query as JSON"),
    pytest.param("/shop/nothing", id="a table that is not there"),
    pytest.param("/shop/nothing.json", id="a table that is not there, as JSON"),
    pytest.param("/elsewhere", id="a database that is not there"),
    pytest.param("/-/static/app.css", id="a static asset"),
    pytest.param("/-/static/table.js?x=1", id="a static asset with a query"),
]
PASSED = [
    pytest.param("/shop/plans.csv", id="CSV"),
    pytest.param("/shop/plans.csv?_stream=1", id="CSV as a stream"),
    pytest.param("/shop/plans.json?_size=2&_ttl=0", id="JSON that must not be cached"),
    pytest.param("/-/versions.json", id="what it says of itself"),
    pytest.param("/-/settings.json", id="its settings"),
    pytest.param("/shop.json?sql=drop+table+plans", id="a query that is not allowed"),
    pytest.param("/shop.json?sql=nonsense", id="SQL that is none"),
]


@pytest.fixture(scope="module")
def datasette(tmp_path_factory):
    """Datasette on a port of its own, serving a file of 2000 plans."""
    folder = tmp_path_factory.mktemp("datasette")
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.execute("create table plans (id integer primary key, name text, kind text, price real)")
        rows = [(f"Plan {number} ☀", "grün" if number % 3 else "grau", number * 1.5) for number in range(1, 2001)]
        database.executemany("insert into plans (name, kind, price) values (?, ?, ?)", rows)
        database.execute("create table zones (code text primary key, city text)")
        database.executemany("insert into zones values (?, ?)", [("78701", "Austin"), ("a/b", "Österreich")])
        database.commit()
    add = {"sql": "insert into plans (name, kind, price) values (:name, 'new', 1)", "write": True}
    queries = {"add_plan": add, "by_kind": "select kind, count(*) as n from plans group by kind"}
    (folder / "metadata.json").write_text(json.dumps({"databases": {"shop": {"queries": queries}}}))
    port = free_port()
    flags = ["--host", "127.0.0.1", "--port", str(port), "--metadata", "metadata.json"]
    settings = ["--setting", "default_cache_ttl", "600"]  # longer than any test run: a hit is no matter of luck
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "datasette", "serve", "shop.db", *flags, *settings],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread of a test holds a lock that prctl needs
        )
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return ask(port, "/-/versions.json")[0] == 200
    except ConnectionError:
        return False


@pytest.fixture(scope="module", params=["memory", "redis"])
def sidecar(datasette, request):
    with closing(Valkey(port=True)) as valkey:
        store = valkey.start().url if request.param == "redis" else "memory://"
        with Sidecar(RECIPE.read_text(), upstream=f"http://127.0.0.1:{datasette}", store=store) as sidecar:
            yield sidecar


def ask(port: int, target: str, *, method: str = "GET", authority: str = "shop.example", body=None, **fields: str):
    """Return status, fields (lower-case names, sorted lines) and body."""
    lines = {"Host": authority, **{name.replace("_", "-"): value for name, value in fields.items()}}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, target, body, lines)
        answer = connection.getresponse()
        return answer.status, sorted((name.lower(), value) for name, value in answer.getheaders()), answer.read()


def said(answer, *, timed: bool = True):
    """What is compared: the status, all fields but those listed above, and the body without its own times."""
    status, fields, body = answer
    theirs = [(name, value) for name, value in fields if name not in OURS | FRAMING]
    length = dict(fields).get("content-length")
    assert length is None or int(length) == len(body)
    return status, theirs, TIMES.sub(b"", body) if timed else body


def outcome(answer) -> str:
    return dict(answer[1])["x-cache-status"]


@pytest.mark.parametrize("target", STORED)
def test_what_is_stored_is_what_it_said(datasette, sidecar, target):
    direct = ask(datasette, target)
    first, second = ask(sidecar.port, target), ask(sidecar.port, target)
    assert said(first) == said(direct)
    assert (outcome(first), outcome(second)) == ("MISS", "HIT")
    assert said(second, timed=False) == said(first, timed=False)
    assert int(dict(second[1])["age"]) < 600
    assert "hit" in dict(second[1])["cache-status"]


@pytest.mark.parametrize("target", PASSED)
def test_what_is_not_stored_is_asked_for_each_time(datasette, sidecar, target):
    direct = ask(datasette, target)
    for _ in range(2):
        through = ask(sidecar.port, target)
        assert said(through) == said(direct)
        assert outcome(through) in {"MISS", "BYPASS"}


def test_a_page_with_a_form_is_each_visitors_own(sidecar):
    first, second = ask(sidecar.port, "/shop/add_plan"), ask(sidecar.port, "/shop/add_plan")
    assert (outcome(first), outcome(second)) == ("MISS", "MISS")
    assert dict(first[1])["set-cookie"] != dict(second[1])["set-cookie"]


def test_a_stored_page_is_not_modified_and_comes_in_ranges_and_as_a_head(datasette, sidecar):
    whole = ask(sidecar.port, "/-/static/app.css?parts")
    part = ask(sidecar.port, "/-/static/app.css?parts", Range="bytes=100-199")
    assert (part[0], part[2], outcome(part)) == (206, whole[2][100:200], "HIT")
    head = ask(sidecar.port, "/-/static/app.css?parts", method="HEAD")
    assert (head[0], head[2], outcome(head)) == (200, b"", "HIT")
    assert dict(head[1])["content-length"] == str(len(whole[2]))


def test_who_is_signed_in_gets_pages_of_his_own(datasette, sidecar):
    anonymous = ask(sidecar.port, "/shop/zones")
    with_a_form = ask(sidecar.port, "/shop/zones", Cookie="ds_csrftoken=x")
    somebody = ask(sidecar.port, "/shop/zones", Cookie="ds_actor=x; ds_csrftoken=x")
    assert [outcome(answer) for answer in (anonymous, with_a_form, somebody)] == ["MISS", "HIT", "MISS"]
    token = ask(sidecar.port, "/shop/zones", Authorization="Bearer dstok_x")
    assert outcome(token) == "BYPASS"


def test_a_write_is_seen_by_the_next_reader(datasette, sidecar):
    counting = "/shop.json?sql=select+count(*)+from+plans&_shape=arrays"
    paths = ["/shop/plans.json?_size=1", "/shop/plans", counting]
    before = [ask(sidecar.port, path) for path in paths]
    assert [outcome(ask(sidecar.port, path)) for path in paths] == ["HIT"] * 3
    form = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    written = ask(sidecar.port, "/shop/add_plan", method="POST", body=b"name=One%20more", **form)
    assert (written[0], json.loads(written[2])["ok"]) == (200, True)
    after = [ask(sidecar.port, path) for path in paths]
    assert [outcome(answer) for answer in after] == ["MISS"] * 3
    assert json.loads(after[2][2])["rows"][0][0] == json.loads(before[2][2])["rows"][0][0] + 1
