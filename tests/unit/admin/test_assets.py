"""What the page is made of."""

import hashlib
import re
from importlib import resources

import pytest

from proxy.admin.assets import FILES, POLICY

STATIC = resources.files("proxy.admin") / "static"
SCRIPTS = sorted(name for name in FILES.values() if name.endswith(".js") and "/" not in name)


def test_every_file_is_served_and_every_served_one_is_there():
    there = {entry.name for entry in STATIC.iterdir() if entry.is_file()}
    assert there == {name for name in FILES.values() if "/" not in name}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_what_is_served(name):
    text = (STATIC / name).read_text("utf-8")
    assert set(re.findall(r'from "\./([^"]+)"', text)) <= set(SCRIPTS)
    # What a user wrote can only become text; the browser's Trusted Types would refuse it too.
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style="):
        assert word not in text, word


def test_the_page_names_only_files_that_are_served_and_nothing_inline():
    page = (STATIC / "index.html").read_text("utf-8")
    assert {f"/{name}" for name in re.findall(r'(?:src|href)="([^"#]+)"', page)} <= set(FILES)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert re.findall(r"<script[^>]*></script>", page) == re.findall(r"<script.*?</script>", page, re.DOTALL)


def test_each_id_that_a_script_asks_for_is_on_the_page():
    page = (STATIC / "index.html").read_text("utf-8")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for name in SCRIPTS:
        asked = re.findall(r'byId\("([^"]+)"\)', (STATIC / name).read_text("utf-8"))
        assert set(asked) <= set(ids), name


def test_the_kept_copies_are_what_their_registry_gave():
    vendor = STATIC / "vendor"
    noted = dict(
        reversed(line.split())
        for line in re.findall(r"^[0-9a-f]{64}  uplot/.*$", (vendor / "README.md").read_text(), re.MULTILINE)
    )
    assert set(noted) == {f"uplot/{entry.name}" for entry in (vendor / "uplot").iterdir()}
    assert "uplot/LICENSE" in noted
    for name, digest in noted.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name


def test_nothing_is_allowed_but_what_is_named():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
