"""What the documents say is so: keys, defaults, commands, links, whole configurations."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from proxy.cli.arguments import make_parser
from proxy.settings import load_settings, nodes
from proxy.settings.check import check_text
from proxy.settings.layers import SINGLE_KEYS
from proxy.settings.sections import Section

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
REFERENCE = ROOT / "docs" / "configuration.md"

# Every mapping that there is, so that every key is asked for.
EVERYTHING = """
version: 1
admin: {}
probes: {}
upstream: {url: "http://127.0.0.1:8000"}
store: {dictionary: {}}
memory: {}
purge: {}
limits: {}
log: {}
cloudwatch: {}
defaults: {}
cors: {origins: ["https://app.example"]}
namespaces: {one: {}}
routes:
  - name: one
    match: GET /one
    namespace: one
    ttl: {base: 1h, hot: {above: 1, factor: 2}, cold: {below: 1, factor: 0.5}}
    key: {}
    statuses: {}
    browser: {max_age: 1h}
    cdn: {max_age: 1h}
invalidate:
  - {after: POST /one, tags: [one]}
warm:
  - {name: one, route: one, source: {urls: [/one]}}
tests:
  - {request: {url: /one, headers: {}}, response: {headers: {}}, expect: {stored: true, purges: {tags: [one]}}}
"""


@pytest.fixture
def asked(monkeypatch):
    """Which keys are asked for, and which of them as mappings that the text does not have, while ``EVERYTHING`` is read."""
    keys, absent = set(), set()
    find, maybe_section = Section.find, Section.maybe_section

    def written(section, key):
        path = re.sub(r"\[\d+\]", "", section.path_of(key))
        return re.sub(r"^namespaces\.one\b", "namespaces.*", path)

    def telling_find(section, key):
        keys.add(written(section, key))
        return find(section, key)

    def telling_maybe_section(section, key):
        if not isinstance(section.node.get(key), nodes.Mapping):
            absent.add(written(section, key))
        return maybe_section(section, key)

    monkeypatch.setattr(Section, "find", telling_find)
    monkeypatch.setattr(Section, "maybe_section", telling_maybe_section)
    load_settings(EVERYTHING)
    return keys - {"namespaces.*"}, absent


def documented():
    """Return each key of the reference with the default that is written beside it."""
    prefix, found = None, []
    for line in REFERENCE.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"## (.*)", line):
            name = re.fullmatch(r"`([a-z]+)`", heading[1])
            prefix = {"Top level": ""}.get(heading[1]) if name is None else f"{name[1]}."
            prefix = "namespaces.*." if prefix == "namespaces." else prefix
        elif prefix is not None and line.startswith("| `"):
            first, default = line.split(" | ")[:2]
            found += [(f"{prefix}{key}", default.strip("| ")) for key in re.findall(r"`([^`]+)`", first)]
    return found


def test_every_key_of_the_configuration_is_in_the_reference_and_no_other(asked):
    keys, _ = asked
    written = Counter(key for key, _ in documented())
    assert {
        "known, not documented": sorted(keys - set(written)),
        "documented, not known": sorted(set(written) - keys),
    } == {
        "known, not documented": [],
        "documented, not known": [],
    }
    assert [key for key, times in written.items() if times > 1] == []


def test_the_text_that_asks_for_every_key_has_every_mapping(asked):
    _, absent = asked
    assert absent == set()


def _literal_defaults():
    # Those of tests are no part of the running configuration, which is what can be compared; files have no default.
    for key, default in documented():
        if re.fullmatch(r"`[^`]+`", default) and not key.startswith("tests.") and not key.endswith("_file"):
            yield pytest.param(key, default.strip("`"), id=key)


@pytest.mark.parametrize(("key", "default"), list(_literal_defaults()))
def test_a_default_in_the_reference_is_the_real_one(key, default):
    text = EVERYTHING[: EVERYTHING.index("warm:")] + "warm: [{name: one}]"
    shown = load_settings(text).shown
    shown = {**shown, "warm": shown["warm"][0]}
    *outer, last = key.split(".")
    for name in outer:
        shown = shown["one" if name == "*" else name]
        shown = shown[0] if isinstance(shown, list) else shown
    assert _written(shown[last]) == default.lower().replace('"', "")


def _written(value):
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(str(item) for item in value)}]".lower()
        case dict():
            return "{}" if not value else "a mapping"
        case _:
            return str(value).lower()


def test_a_variable_without_two_underscores_is_in_the_reference():
    text = REFERENCE.read_text("utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| `SAPWOOD_LISTEN`"))
    assert set(re.findall(r"`([a-z_]+)`", line)) == SINGLE_KEYS


def _blocks(language):
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 2
            yield pytest.param(block[1], id=f"{document.name}:{line}")


@pytest.mark.parametrize("text", [block for block in _blocks("yaml") if block.values[0].startswith("version:")])
def test_a_whole_configuration_passes_its_own_check(text):
    report = check_text(text, "<document>", {})
    assert report.ok, report.as_text()
    # A mounted secret is where the sidecar runs, not here.
    absent = {one for one in report.warnings if one.path.endswith("_file") and "cannot be read here" in one.message}
    assert set(report.warnings) == absent


def test_there_are_whole_configurations_in_the_documents():
    assert sum(block.values[0].startswith("version:") for block in _blocks("yaml")) > 1


def _commands():
    for document in DOCUMENTS:
        text = document.read_text("utf-8").replace("\\\n", " ")
        fenced = re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line for block in fenced for line in block.splitlines()]
        lines += re.findall(r"`(sapwood [^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
        for line in lines:
            command = line.removeprefix("$ ")
            if command.startswith("sapwood "):
                yield pytest.param(command, id=f"{document.name}: {command}")


@pytest.mark.parametrize("command", list(_commands()))
def test_a_command_shown_has_only_flags_that_exist(command):
    words = shlex.split(command, comments=True)
    ends = [index for index, word in enumerate(words) if word in {"&", "|", ";", "&&", ">"}]
    arguments = words[1 : min(ends, default=len(words))]
    if len(arguments) == 1:  # spoken of by its name alone
        arguments.append("--help")
    assert _exit_code(arguments) == 0


def _exit_code(arguments):
    try:
        make_parser().parse_args(arguments)
    except SystemExit as ended:  # help is 0, bad usage 2
        return ended.code
    return 0


def _links():
    for document in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for link in dict.fromkeys(re.findall(r"\]\(([^)\s]+)\)", text)):
            if "://" not in link:
                yield pytest.param(document, link, id=f"{document.name}: {link}")


@pytest.mark.parametrize(("document", "link"), list(_links()))
def test_a_relative_link_leads_somewhere(document, link):
    file, _, anchor = link.partition("#")
    target = document if not file else (document.parent / file)
    assert target.exists()
    assert target.resolve().is_relative_to(ROOT)
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}
