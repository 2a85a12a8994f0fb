"""What a configuration was read from: enough for another process of this sidecar to read it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Written:
    """The file's ``text`` (None: no file), its name, and the flags by path. The environment is the process's own.

    Whoever reads it again gets the rules of this very text, whatever has become of the file. It may hold secrets.
    """

    text: str | None = field(repr=False)
    source: str
    overrides: Mapping[str, str] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {"text": self.text, "source": self.source, "overrides": dict(self.overrides)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Written:
        """Return what ``as_dict`` made a document of."""
        return cls(document["text"], document["source"], document["overrides"])
