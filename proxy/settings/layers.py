"""What lies over the file: variables inside of its values, ``SAPWOOD_*`` variables, flags. The later beats the earlier."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.settings.mistakes import Caution, Mistake, Place
from proxy.settings.nearest import did_you_mean
from proxy.settings.nodes import Mapping, Node, Scalar, Sequence, describe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Map

PREFIX: Final = "SAPWOOD_"
SWITCH: Final = "SAPWOOD_CACHE"
#: Read by the command line, not by this room.
_OTHERS: Final = frozenset({"SAPWOOD_CONFIG", "SAPWOOD_ADMIN", "SAPWOOD_TOKEN", "SAPWOOD_TOKEN_FILE"})
#: Top-level keys that are one value or a list: only these may be a variable without ``__``.
SINGLE_KEYS: Final = frozenset(
    {"version", "service", "enabled", "listen", "workers", "hosts", "trusted_proxies", "drain_timeout", "timezone"}
)
_SWITCH_WORDS: Final = {"on": "true", "true": "true", "off": "false", "false": "false"}
# Kubernetes puts these into every pod of a namespace that has a service named "sapwood".
_SERVICE_LINK: Final = re.compile(
    r"SAPWOOD_(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_.*)?)?)"
)
_VARIABLE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{[^}]*\}?")


def expand(root: Mapping, environ: Map[str, str]) -> tuple[Mapping, list[Mistake]]:
    """Replace ``${NAME}`` in every value but those under ``x-*``; ``$${`` stands for ``${``."""
    mistakes: list[Mistake] = []
    entries = tuple(
        (key, node if key.text.startswith("x-") else _expanded(node, key.text, environ, mistakes))
        for key, node in root.entries
    )
    return Mapping(root.place, entries, root.written), mistakes


def _expanded(node: Node, path: str, environ: Map[str, str], mistakes: list[Mistake]) -> Node:
    match node:
        case Mapping():
            entries = tuple(
                (key, _expanded(item, f"{path}.{key.text}", environ, mistakes)) for key, item in node.entries
            )
            return Mapping(node.place, entries, node.written)
        case Sequence():
            items = (_expanded(item, f"{path}[{index}]", environ, mistakes) for index, item in enumerate(node.items))
            return Sequence(node.place, tuple(items), node.written)
        case Scalar() if "${" in node.text:
            return _replaced(node, path, environ, mistakes)
    return node


def _replaced(node: Scalar, path: str, environ: Map[str, str], mistakes: list[Mistake]) -> Scalar:
    names = [found[1] for found in _VARIABLE.finditer(node.text) if not found[0].startswith("$$")]
    for name in names:
        if name is None:
            message = f'expected a variable like "${{NAME}}" ("$${{" for a plain "${{"), got {describe(node)}'
            mistakes.append(Mistake.at(node.place, path, message))
        elif name not in environ:
            mistakes.append(Mistake.at(node.place, path, f"no variable {name} in the environment"))
    text = _VARIABLE.sub(lambda found: "${" if found[0] == "$${" else environ.get(found[1] or "", ""), node.text)
    # Mistakes show the variable's name, not what may be a secret.
    return Scalar(node.place, text, quoted=not names, loose=bool(names), written=node.text)


def overlay(
    root: Mapping, overrides: Map[str, str], environ: Map[str, str]
) -> tuple[Mapping, list[Mistake], list[Caution]]:
    """Lay the environment over the file and the flags (``{"upstream.url": ...}``) over both."""
    mistakes: list[Mistake] = []
    cautions: list[Caution] = []
    layers = [*_from_environment(environ, mistakes, cautions)]
    layers += [
        (tuple(path.split(".")), Scalar(Place("command line"), value, loose=True)) for path, value in overrides.items()
    ]
    for path, value in layers:
        root = _with(root, path, value, "", mistakes)
    return root, mistakes, cautions


def _from_environment(
    environ: Map[str, str], mistakes: list[Mistake], cautions: list[Caution]
) -> Iterable[tuple[tuple[str, ...], Scalar]]:
    for name in sorted(environ):
        value = environ[name]
        # An empty variable is how charts and compose files say "not set".
        if not name.startswith(PREFIX) or name in _OTHERS or name == SWITCH or not value:
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if len(path) > 1 or path[0] in SINGLE_KEYS:
            yield path, Scalar(Place(name), value, loose=True)
        elif not _SERVICE_LINK.fullmatch(name):
            hint = did_you_mean(path[0], SINGLE_KEYS) if path[0] != "" else ""
            cautions.append(Caution.at(Place(name), "", f"no setting of that name: ignored{hint}"))
    switch = environ.get(SWITCH, "")
    if switch in _SWITCH_WORDS:
        yield ("enabled",), Scalar(Place(SWITCH), _SWITCH_WORDS[switch], loose=True)
    elif switch:
        mistakes.append(Mistake.at(Place(SWITCH), "enabled", f'expected on or off, got "{switch}"'))


def _with(root: Mapping, path: tuple[str, ...], value: Scalar, above: str, mistakes: list[Mistake]) -> Mapping:
    key, rest = path[0], path[1:]
    here = f"{above}.{key}" if above else key
    node: Node = value
    if rest:
        below = root.get(key)
        if below is None or (isinstance(below, Scalar) and below.is_null):
            below = Mapping(value.place)
        if not isinstance(below, Mapping):
            mistakes.append(Mistake.at(value.place, here, f"only the file can say what is in {describe(below)}"))
            return root
        node = _with(below, rest, value, here, mistakes)
    # A token given here replaces a token_file given below, and the other way round.
    replaced = {key, f"{key}_file", key.removesuffix("_file")}
    kept = tuple(entry for entry in root.entries if entry[0].text not in replaced)
    return Mapping(root.place, (*kept, (Scalar(value.place, key), node)), root.written)
