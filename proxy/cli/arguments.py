"""Every command, flag and word of help."""

from __future__ import annotations

import argparse
from typing import NoReturn

from proxy import __version__
from proxy.message.errors import SapwoodError


class BadUsageError(SapwoodError):
    """The command line asks for what cannot be: exit 2 and one line."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse would print the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; its result has ``command`` and that command's options."""
    parser = _Parser(prog="sapwood", description="A caching sidecar for HTTP APIs.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"sapwood {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, allow_abbrev=False)

    _serve(command("serve", "run the sidecar"))
    _demo(command("demo", "run a small slow backend and two sidecars in front of it, and show what they do"))
    _check(command("check", "show every mistake of configuration files and run their tests"))
    _explain(command("explain", "show what the rules do with one request"))
    _purge(command("purge", "drop stored responses of a running sidecar and of all that share its store"))
    _warm(command("warm", "fetch before anybody asks: run warmers of a running sidecar"))
    _stats(command("stats", "show what a running sidecar has counted"))
    _remote(command("health", "show how a running sidecar is; exit 1 if clients see errors"))
    return parser


def _serve(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--config", metavar="FILE", help="rules; without any, one route over everything by RFC 9111 (SAPWOOD_CONFIG)")
    add("--upstream", metavar="URL", help="the backend: http://127.0.0.1:8000 or unix:/run/app.sock")
    add("--listen", metavar="ADDRESS", help="for traffic: 0.0.0.0:8080")
    add("--admin", metavar="ADDRESS", help="for the admin API: 127.0.0.1:9091 or unix:/run/sapwood.sock")
    add("--probes", metavar="ADDRESS", help="for /livez, /readyz and /metrics: 0.0.0.0:9092")
    add("--store", metavar="URL", help="memory://, embedded:// or redis://127.0.0.1:6379/0")
    add("--watch", action="store_true", help="reload when the file or a mounted secret is another one")


def _demo(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--port-base", metavar="N", type=int, help="the first of seven ports on loopback (8800)")
    add("--tour", action="store_true", help="try the lines that the demo prints, say what was true, and end")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")
    _format(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", metavar="URL", help="a path with its query, or a whole URL")
    add("--config", metavar="FILE", help="rules; without any, the implicit route (SAPWOOD_CONFIG)")
    add("-X", "--method", metavar="METHOD", default="GET")
    add("-H", "--header", metavar="'NAME: VALUE'", action="append", default=[], dest="headers")
    add("--live", metavar="ADMIN", help="a running sidecar's admin API, asked for what it has stored")
    add("--token-file", metavar="FILE", help="the admin token (SAPWOOD_TOKEN_FILE, SAPWOOD_TOKEN)")
    _format(parser)


def _purge(parser: argparse.ArgumentParser) -> None:
    def each(flag: str, field: str, text: str) -> None:
        parser.add_argument(flag, action="append", default=[], dest=field, metavar=flag[2].upper(), help=text)

    each("--tag", "tags", "a tag; like all of these, any number of times")
    each("--key", "keys", "a logical key, namespace:version:id")
    each("--url", "urls", "a path with its query; PATH?* is every query")
    each("--path", "paths", "a path, whatever the query")
    each("--pattern", "patterns", "a glob over logical keys: user_profile:*:user_456")
    each("--user", "users", "a user")
    each("--namespace", "namespaces", "a namespace")
    each("--route", "routes", "a route's name")
    add = parser.add_argument
    add("--all", action="store_true", help="everything of the service")
    add("--soft", action="store_true", help="make stale instead of gone")
    add(
        "--wait",
        metavar="DURATION",
        help="until it holds at every replica, this long at most; exit 1 if it does not by then",
    )
    add("--dry-run", action="store_true", help="estimate what it would hit; purge nothing")
    _remote(parser)


def _warm(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="warmers of the configuration; all without a name")
    parser.add_argument("--limit", metavar="N", type=int, help="so many items of each, instead of its own limit")
    _remote(parser)


def _stats(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--reset", action="store_true", help="begin again at zero, at all replicas")
    add("--watch", metavar="DURATION", nargs="?", const="2s", help="show them anew every 2s, or as often as said")
    _remote(parser)


def _remote(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--admin", metavar="URL", help="the admin API: http://127.0.0.1:9091 or unix:/path (SAPWOOD_ADMIN)")
    add("--token-file", metavar="FILE", help="the admin token (SAPWOOD_TOKEN_FILE, SAPWOOD_TOKEN)")
    _format(parser)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")
