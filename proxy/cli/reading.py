"""A configuration as the command line means it: a file or none, the environment over it, flags over both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.settings import Mistake, Mistakes, Settings, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_FLAGS: Final = {
    "upstream": "upstream.url",
    "listen": "listen",
    "admin": "admin.listen",
    "probes": "probes.listen",
    "store": "store.url",
}


def flags_of(chosen: argparse.Namespace) -> dict[str, str]:
    """Return the settings that flags of ``serve`` give, by path."""
    return {path: value for flag, path in _FLAGS.items() if (value := getattr(chosen, flag)) is not None}


def file_of(config: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the configuration's path: the flag's, else the one that ``SAPWOOD_CONFIG`` names."""
    return config or environ.get("SAPWOOD_CONFIG") or None


def read_settings(
    config: str | None, environ: Mapping[str, str], *, flags: Mapping[str, str], secrets_needed: bool = True
) -> Settings:
    """Load ``config``, else the file that ``SAPWOOD_CONFIG`` names, else none. Raises Mistakes."""
    file = file_of(config, environ)
    if file is None:
        return load_settings(None, source="(no file)", overrides=flags, environ=environ, secrets_needed=secrets_needed)
    text = read_text(file)
    return load_settings(text, source=file, overrides=flags, environ=environ, secrets_needed=secrets_needed)


def read_text(file: str) -> str:
    """Return a file's text. Raises Mistakes: on a reload, an unreadable file is refused as a wrong one is."""
    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise Mistakes((Mistake(file, 0, 0, "", f"cannot be read: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise Mistakes((Mistake(file, 0, 0, "", "cannot be read: not UTF-8"),)) from error
