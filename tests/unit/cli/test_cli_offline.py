import json

import pytest

from proxy.cli import main

GOOD = """\
version: 1
upstream: {url: "http://127.0.0.1:8000"}
routes:
  - name: plan
    match: "GET /plans/{plan_id}"
    authorization: ignore
    cookies: ignore
    ttl: 1h
    tags: ["plan:{plan_id}"]
tests:
  - request: {method: GET, url: /plans/7}
    response: {status: 200}
    expect: {route: plan, stored: true, ttl: 1h, tags: ["plan:7"]}
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("SAPWOOD_CONFIG", "SAPWOOD_UPSTREAM__URL", "SAPWOOD_ADMIN", "SAPWOOD_TOKEN", "SAPWOOD_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    def write(text, name="f.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_a_file_without_a_mistake(file, capsys):
    assert main(["check", file(GOOD)]) == 0
    assert "1 test passed" in capsys.readouterr().out


def test_every_mistake_of_every_file_in_one_run(file, capsys):
    bad = file(GOOD.replace("ttl: 1h\n", "ttl: 1hr\n    tag: [x]\n"), "bad.yaml")
    assert main(["check", bad, file(GOOD)]) == 1
    said = capsys.readouterr().out
    assert f"{bad}:8:10: routes[0].ttl: expected a duration" in said
    assert "routes[0].tag" in said
    assert "1 test passed" in said


def test_a_failed_test_is_exit_1(file, capsys):
    assert main(["check", file(GOOD.replace("stored: true", "stored: false"))]) == 1
    assert "expected stored: false" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_a_mistake(file, capsys, tmp_path, content, said):
    path = str(tmp_path / "none.yaml") if content is None else file(content)
    assert main(["check", path]) == 1
    assert said in capsys.readouterr().out
    assert main(["explain", "--config", path, "/x"]) == 1
    assert said in capsys.readouterr().err


def test_reports_for_programs(file, capsys):
    assert main(["check", "--format", "json", file(GOOD), file("routes: 5", "bad.yaml")]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert (good["ok"], bad["ok"]) == (True, False)
    assert good["tests"][0]["ok"] is True
    assert bad["mistakes"]


def test_explain_says_which_route_and_why(file, capsys):
    assert main(["explain", "--config", file(GOOD), "-H", "Accept: a/b", "/plans/7?x=1"]) == 0
    said = capsys.readouterr().out
    assert "plan:7" in said
    assert main(["explain", "--config", file(GOOD), "-X", "POST", "/plans/7", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "pass"


def test_explain_reads_the_file_that_the_environment_names(file, capsys, monkeypatch):
    monkeypatch.setenv("SAPWOOD_CONFIG", file(GOOD))
    assert main(["explain", "/plans/7", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["route"] == "plan"


def test_explain_without_a_file_is_about_the_implicit_route(capsys):
    assert main(["explain", "/anything", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["route"] == "implicit"


def test_explain_of_a_refused_file_says_all_mistakes(file, capsys):
    assert main(["explain", "--config", file("routes: 5\nx: 1"), "/x"]) == 1
    assert len(capsys.readouterr().err.splitlines()) >= 2


def test_a_refused_configuration_starts_nothing_and_says_every_mistake(file, capsys):
    assert main(["serve", "--config", file("routes: 5\nlisten: here")]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert "routes" in written.err
    assert "listen" in written.err


def test_flags_beat_the_environment_which_beats_the_file(file, monkeypatch):
    from proxy.cli.arguments import make_parser
    from proxy.cli.reading import flags_of, read_settings

    path = file(GOOD + "listen: 127.0.0.1:1\nadmin: {listen: '127.0.0.1:2'}\nprobes: {listen: '127.0.0.1:3'}\n")
    environ = {"SAPWOOD_LISTEN": "127.0.0.1:11", "SAPWOOD_ADMIN__LISTEN": "127.0.0.1:12", "SAPWOOD_CONFIG": "/no/where"}
    flags = ["--listen", "127.0.0.1:21", "--upstream", "http://h:1", "--store", "memory://"]
    chosen = make_parser().parse_args(["serve", "--config", path, *flags])
    settings = read_settings(chosen.config, environ, flags=flags_of(chosen))
    assert settings.front.listen == "127.0.0.1:21"
    assert settings.admin.listen == "127.0.0.1:12"
    assert settings.admin.probes_listen == "127.0.0.1:3"
    assert settings.origin.url == "http://h:1"
