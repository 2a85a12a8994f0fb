from __future__ import annotations

import pytest

from proxy.settings.layers import expand, overlay
from proxy.settings.yaml12 import parse


def laid(text, overrides=None, environ=None):
    root, mistakes, cautions = overlay(parse(text, "f")[0], overrides or {}, environ or {})
    return data(root), [str(one) for one in mistakes], [str(one) for one in cautions]


def data(node):
    if hasattr(node, "entries"):
        return {key.text: data(value) for key, value in node.entries}
    return [data(item) for item in node.items] if hasattr(node, "items") else node.text


def expanded(text, **environ):
    root, mistakes = expand(parse(text, "f")[0], environ)
    return root, [str(one) for one in mistakes]


def test_variables_are_replaced_after_parsing():
    root, mistakes = expanded("a: ${A}\nb: ['x-${A}-${B}', {c: \"${A}\"}]\n", A="1: [", B="")
    assert (data(root), mistakes) == ({"a": "1: [", "b": ["x-1: [-", {"c": "1: ["}]}, [])


def test_a_replaced_value_is_of_the_kind_that_is_asked_for():
    root, _ = expanded("a: ${A}\nb: '${A}'\n", A="12")
    assert [root.get(key).is_number for key in "ab"] == [True, True]
    assert root.get("a").is_text


def test_an_escaped_variable_stays():
    root, mistakes = expanded("a: $${A}\nb: $A\nc: ${B}$${C}\n", B="x")
    assert (data(root), mistakes) == ({"a": "${A}", "b": "$A", "c": "x${C}"}, [])


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("a: {b: ['${NO}']}", "f:1:9: a.b[0]: no variable NO in the environment", id="unknown"),
        pytest.param(
            "a: ${NO:-x}",
            'f:1:4: a: expected a variable like "${NAME}" ("$${" for a plain "${"), got "${NO:-x}"',
            id="something else in braces",
        ),
        pytest.param("a: x${NO", 'f:1:4: a: expected a variable like "${NAME}" ("$${" for a plain "${"), got "x${NO"', id="no end"),
    ],
)  # fmt: skip
def test_variables_that_cannot_be_replaced(text, mistake):
    assert expanded(text)[1] == [mistake]


def test_anchors_on_their_own_need_no_variables():
    assert expanded("x-a: ${NO}\n")[1] == []


@pytest.mark.parametrize(
    ("environ", "result"),
    [
        pytest.param({"SAPWOOD_LISTEN": ":1"}, {"listen": ":1"}, id="a top-level key"),
        pytest.param({"SAPWOOD_UPSTREAM__URL": "u"}, {"upstream": {"url": "u"}}, id="a key in a section"),
        pytest.param({"SAPWOOD_NAMESPACES__PLANS__TTL": "1h"}, {"namespaces": {"plans": {"ttl": "1h"}}}, id="deeper"),
        pytest.param({"SAPWOOD_LISTEN": ""}, {}, id="an empty variable is not set"),
        pytest.param({"SAPWOOD_CONFIG": "f"}, {}, id="the command line's own"),
        pytest.param({"SAPWOOD_ADMIN": "a", "SAPWOOD_TOKEN": "t", "SAPWOOD_TOKEN_FILE": "f"}, {}, id="those of commands"),
        pytest.param({"SAPWOOD_CACHE": "off"}, {"enabled": "false"}, id="switched off"),
        pytest.param({"SAPWOOD_CACHE": "on", "SAPWOOD_ENABLED": "false"}, {"enabled": "true"}, id="the switch wins"),
        pytest.param({"PATH": "/bin"}, {}, id="others"),
        pytest.param(
            {"SAPWOOD_SERVICE_HOST": "10.0.0.1", "SAPWOOD_PORT": "tcp://10.0.0.1:80", "SAPWOOD_PORT_80_TCP_ADDR": "1",
             "SAPWOOD_ADMIN_SERVICE_PORT_HTTP": "1"},
            {},
            id="what Kubernetes puts there for a service of that name",
        ),
    ],
)  # fmt: skip
def test_the_environment_makes_settings(environ, result):
    assert laid("", environ=environ) == (result, [], [])


def test_flags_beat_the_environment_and_that_beats_the_file():
    text = "upstream: {url: file, timeout: 1s}\n"
    environ = {"SAPWOOD_UPSTREAM__URL": "environment", "SAPWOOD_LISTEN": "environment"}
    assert laid(text, {"upstream.url": "flag"}, environ)[0] == {
        "listen": "environment",
        "upstream": {"timeout": "1s", "url": "flag"},
    }


def test_a_secret_given_above_replaces_its_file_below():
    text = "admin: {token_file: /t, listen: a}\nstore: {url: u}\n"
    environ = {"SAPWOOD_ADMIN__TOKEN": "t", "SAPWOOD_STORE__URL_FILE": "/u"}
    assert laid(text, environ=environ)[0] == {"admin": {"listen": "a", "token": "t"}, "store": {"url_file": "/u"}}


@pytest.mark.parametrize(
    ("text", "environ", "mistake"),
    [
        pytest.param(
            "routes: []",
            {"SAPWOOD_ROUTES__0__TTL": "1h"},
            "SAPWOOD_ROUTES__0__TTL: routes: only the file can say what is in a list",
            id="into a list",
        ),
        pytest.param("", {"SAPWOOD_CACHE": "maybe"}, 'SAPWOOD_CACHE: enabled: expected on or off, got "maybe"', id="no switch"),
    ],
)  # fmt: skip
def test_variables_that_mean_nothing(text, environ, mistake):
    assert laid(text, environ=environ)[1] == [mistake]


def test_unknown_variables_are_doubtful():
    _, mistakes, cautions = laid("", environ={"SAPWOOD_LISEN": "x"})
    assert (mistakes, cautions) == ([], ['SAPWOOD_LISEN: no setting of that name: ignored, did you mean "listen"?'])


def test_a_section_that_says_nothing_can_be_filled():
    assert laid("upstream:\n", {"upstream.url": "u"})[0] == {"upstream": {"url": "u"}}
