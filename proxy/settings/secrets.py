"""Values that are never shown: in the file, or in the file that ``<key>_file`` names, for mounted secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.settings.nodes import Node, Scalar, describe

if TYPE_CHECKING:
    from proxy.settings.sections import Section

HIDDEN: Final = "<hidden>"


def read_secret(said: Section, key: str) -> str | None:
    """Read ``key``, or the file that ``key_file`` names, without surrounding white space; None where there is none."""
    file_key = f"{key}_file"
    value, named = said.find(key), said.find(file_key)
    if value is not None and named is not None:
        said.mistake(file_key, f"both {key} and {file_key} are given")
        return None
    if named is not None:
        return _from_file(said, file_key, named)
    if value is None:
        return None
    said.shown[key] = HIDDEN
    if not isinstance(value, Scalar):
        said.mistake(key, f"expected text, got {describe(value)}")
    elif not value.is_text or not value.text:
        said.mistake(key, "expected text: quote it")  # what stands here is not repeated: it may be half of a secret
    else:
        return value.text
    return None


def _from_file(said: Section, key: str, node: Node) -> str | None:
    if not isinstance(node, Scalar) or not node.text:
        said.mistake(key, f"expected a path, got {describe(node)}")
        return None
    said.shown[key] = node.written or node.text
    try:
        content = said.desk.read_file(node.text).strip()
    except OSError as error:
        return _unreadable(said, key, error.strerror or "it is not there")
    except UnicodeDecodeError:
        return _unreadable(said, key, "it is not text")
    if not content:
        said.mistake(key, "the file is empty")
        return None
    return content


def _unreadable(said: Section, key: str, reason: str) -> str | None:
    if said.desk.files_needed:
        said.mistake(key, f"cannot be read: {reason}")
        return None
    said.caution(key, f"cannot be read here: {reason}")
    return HIDDEN
