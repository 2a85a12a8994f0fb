"""The command line as a person meets it: help, mistakes in one line, and quick."""

import subprocess
import sys

import pytest

from proxy import __version__
from proxy.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "required: COMMAND", id="no command"),
        pytest.param(["server"], "invalid choice: 'server'", id="an unknown command"),
        pytest.param(["serve", "--colour"], "unrecognized arguments: --colour", id="an unknown flag"),
        pytest.param(["serve", "--conf", "x"], "unrecognized arguments: --conf", id="half a flag"),
        pytest.param(["check"], "required: FILE", id="nothing to check"),
        pytest.param(["check", "x", "--format", "xml"], "invalid choice: 'xml'", id="an unknown format"),
        pytest.param(["explain"], "required: URL", id="nothing to explain"),
        pytest.param(["explain", "-H", "nothing", "/x"], 'expected "Name: value"', id="a field without a colon"),
        pytest.param(["explain", "x"], "x", id="a URL that is none"),
        pytest.param(["purge"], "nothing to purge", id="nothing to purge"),
        pytest.param(["purge", "--soft"], "nothing to purge", id="only a mode"),
        pytest.param(["purge", "--all", "--admin", "h:1"], '--admin: expected "http://127.0.0.1:9091"', id="no URL"),
        pytest.param(
            ["stats", "--token-file", "/no\nwhere"], "cannot read the token file /no where", id="no token file"
        ),
        pytest.param(["stats", "--watch", "2"], "--watch: expected a duration", id="an interval without its unit"),
        pytest.param(["stats", "--watch", "--reset"], "leave out --watch", id="a reset again and again"),
        pytest.param(["warm", "--limit", "0"], "from 1 up", id="a limit of nothing"),
        pytest.param(["warm", "--limit", "x"], "invalid int value", id="a limit that is no number"),
    ],
)
def test_bad_usage_is_exit_2_and_one_line(arguments, said, capsys, monkeypatch):
    monkeypatch.delenv("SAPWOOD_CONFIG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("sapwood")
    assert said in written.err
    assert written.err.count("\n") == 1


def test_a_token_that_no_header_can_carry(monkeypatch, capsys, tmp_path):
    (tmp_path / "token").write_bytes("t\u00f6ken".encode())
    for arguments in (["stats", "--token-file", str(tmp_path / "token")], ["stats"]):
        monkeypatch.setenv("SAPWOOD_TOKEN", "a\nb")
        with pytest.raises(SystemExit):
            main(arguments)
        assert "no header may carry" in capsys.readouterr().err
    (tmp_path / "token").write_text("\n")
    with pytest.raises(SystemExit):
        main(["stats", "--token-file", str(tmp_path / "token")])
    assert "is empty" in capsys.readouterr().err


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False, **options
    )


def test_the_module_is_the_command():
    done = run("-m", "proxy", "--version")
    assert (done.returncode, done.stdout) == (0, f"sapwood {__version__}\n")


def test_help_and_usage_import_nothing_heavy():
    program = (
        "import sys, proxy.cli\n"
        "try: proxy.cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'aiohttp', 'uvloop', 'yaml', 'redis', 'rich', 'structlog', 'asyncio'} & set(sys.modules)))\n"
    )
    for arguments in (["--help"], ["purge", "--help"], ["nonsense"]):
        assert run("-c", program, *arguments).stdout.splitlines()[-1] == "[]"


def test_help_names_every_command():
    said = run("-m", "proxy", "--help").stdout
    for command in ("serve", "demo", "check", "explain", "purge", "warm", "stats", "health"):
        assert f"\n    {command} " in said


def test_a_reader_that_has_seen_enough_is_no_error_to_shout_about(tmp_path):
    rules = tmp_path / "f.yaml"
    rules.write_text("version: 1\n")
    program = f"{sys.executable} -m proxy check {' '.join([str(rules)] * 500)} --format json | head -c 1"
    done = subprocess.run(program, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[", "")


def test_an_interrupted_command_ends_as_a_shell_expects(monkeypatch):
    from proxy import cli

    def interrupted(chosen):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert main(["stats"]) == 130
