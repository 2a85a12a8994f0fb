"""Brings into step what of the chart is made from something else, or with ``--check`` only says what is not.

- ``sapwood/README.md``: its table of values, from the ``# --`` lines of ``values.yaml``
- ``sapwood/files``: copies of the alerts and the dashboard in ``deploy``, since a chart reads only its own files
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
CHART = HERE / "sapwood"
COPIES = {
    HERE.parent / "deploy" / "prometheus" / "sapwood.rules.yaml": CHART / "files" / "sapwood.rules.yaml",
    HERE.parent / "deploy" / "grafana" / "sapwood.json": CHART / "files" / "sapwood.json",
}
BEGIN, END = "<!-- values: made by helm/step.py -->\n", "<!-- values end -->\n"


def main(arguments: list[str]) -> int:
    """Return 1 where something was not in step and ``--check`` was said."""
    wanted = {copy: source.read_text() for source, copy in COPIES.items() if source.exists()}
    readme = CHART / "README.md"
    wanted[readme] = with_table(readme.read_text(), (CHART / "values.yaml").read_text())
    late = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in late:
        print(f"{path.relative_to(HERE.parent)}: {'not in step' if '--check' in arguments else 'brought into step'}")
        if "--check" not in arguments:
            path.write_text(wanted[path])
    return 1 if late and "--check" in arguments else 0


def with_table(readme: str, values: str) -> str:
    """Return the README with the table of these values in its place."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [f"| `{path}` | `{_shown(default)}` | {text} |" for path, default, text in described(values)]
    table = "\n".join(["| value | default | |", "|---|---|---|", *rows])
    return f"{before}{BEGIN}\n{table}\n\n{END}{after}"


def described(values: str) -> Iterator[tuple[str, Any, str]]:
    """Yield each described value's path, default and description, in the file's order."""
    document = yaml.safe_load(values)
    path: list[str] = []
    said: list[str] = []
    for line in values.splitlines():
        if comment := re.fullmatch(r" *# (--)? ?(.*)", line):
            said = [comment[2]] if comment[1] else [*said, comment[2]] if said else []
        elif key := re.match(r"( *)([A-Za-z]\w*):", line):
            path = [*path[: len(key[1]) // 2], key[2]]
            if said:
                yield ".".join(path), _at(document, path), " ".join(said)
            said = []
        else:
            said = []


def _at(document: Mapping[str, Any], path: list[str]) -> Any:
    value: Any = document
    for name in path:
        value = value[name]
    return value


def _shown(default: Any) -> str:
    return default if isinstance(default, str) and default else json.dumps(default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
