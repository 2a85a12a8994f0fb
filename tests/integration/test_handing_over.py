"""The recipes of docs/handing-over.md, run as they are written: against SQLite, before a real sidecar."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sidecar import Sidecar

TEXT = (Path(__file__).parents[2] / "docs" / "handing-over.md").read_text("utf-8")
CACHE, WITH_SQLALCHEMY, WITH_DJANGO = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
(RULES,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
(SHELL,) = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

SQLALCHEMY_WRITES = """
from shop import Plan, Sessions

def add(price):
    with Sessions.begin() as session:
        session.add(Plan(id=7, name="Prairie 12", price=price))

def change(price, undone=False, savepoint=False):
    with Sessions() as session:
        session.get(Plan, 7).price = price
        if savepoint:
            with session.begin_nested():
                session.add(Plan(id=8, name="Never", price=1))
                session.flush()
                told("within the savepoint")
        session.flush()
        session.rollback() if undone else session.commit()

def delete():
    with Sessions.begin() as session:
        session.delete(session.get(Plan, 7))
"""
DJANGO_WRITES = """
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "plans.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
)
django.setup()
from django.db import connection, transaction
from shop import Plan
with connection.schema_editor() as editor:
    editor.create_model(Plan)

def add(price):
    Plan.objects.create(id=7, name="Prairie 12", price=price)

def change(price, undone=False, savepoint=False):
    with transaction.atomic():
        plan = Plan.objects.get(pk=7)
        plan.price = price
        plan.save()
        if savepoint:
            told("within the savepoint")
        transaction.set_rollback(undone)

def delete():
    Plan.objects.get(pk=7).delete()
"""
STORY = """
import json, os, urllib.request

def read(path):
    with urllib.request.urlopen(os.environ["TRAFFIC"] + path) as answer:
        return answer.headers["X-Cache-Status"], json.load(answer)

def told(what):
    print(json.dumps([what, *read("/plans/7")]))

%s
read("/plans"), add(95)
told("added")
print(json.dumps(["the list", *read("/plans")]))
change(90), told("changed")
change(900, undone=True), told("rolled back")
change(80, savepoint=True), told("with a savepoint")
delete(), told("deleted")
"""


class Fetched(BaseHTTPRequestHandler):
    """Stands for the views: it says that it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"price": "fetched"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fetched)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sidecar(upstream):
    with Sidecar(RULES, upstream=upstream, store="memory://") as sidecar:
        yield sidecar


def run(sidecar, directory, program, *arguments):
    environ = {**os.environ, "SAPWOOD_ADMIN": f"http://127.0.0.1:{sidecar.admin_port}", "TRAFFIC": sidecar.url}
    done = subprocess.run(
        [program, *arguments], cwd=directory, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "not handed over" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("recipe", "writes"),
    [
        pytest.param(WITH_SQLALCHEMY, SQLALCHEMY_WRITES, id="SQLAlchemy"),
        pytest.param(WITH_DJANGO, DJANGO_WRITES, id="Django"),
    ],
)
def test_what_a_commit_changed_is_the_next_hit(recipe, writes, sidecar, tmp_path):
    (tmp_path / "cache.py").write_text(CACHE)
    (tmp_path / "shop.py").write_text(recipe)
    (tmp_path / "story.py").write_text(STORY % writes)
    lines = run(sidecar, tmp_path, sys.executable, "story.py").splitlines()
    told = {what: (status, plan["price"]) for what, status, plan in map(json.loads, lines)}
    assert told == {
        "added": ("HIT", 95),
        "the list": ("MISS", "fetched"),
        "changed": ("HIT", 90),
        "rolled back": ("HIT", 90),
        "within the savepoint": ("HIT", 90),
        "with a savepoint": ("HIT", 80),
        "deleted": ("MISS", "fetched"),
    }


def test_from_a_shell(sidecar, upstream, tmp_path):
    shell = SHELL.replace("http://127.0.0.1:9091", f"http://127.0.0.1:{sidecar.admin_port}")
    shell = shell.replace("http://127.0.0.1:8000", upstream)
    receipt = json.loads(run(sidecar, tmp_path, "bash", "-euc", shell))
    assert (receipt["route"], receipt["replaced"], receipt["bytes"]) == ("plan", False, 20)
    assert "tag:shop:3" in receipt["selectors"]
    with urllib.request.urlopen(f"{sidecar.url}/plans/7") as answer:
        assert answer.headers["X-Cache-Status"] == "HIT"
        assert answer.headers["Content-Type"] == "application/json"
