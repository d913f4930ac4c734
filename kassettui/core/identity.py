"""Who an asset is: its canonical key, unique in its collection (spec: ingest I5, I6).

A key is text in memory form (undecodable bytes as surrogates); the library stores it losslessly. Nothing
here looks at a disk: symbolic links are not followed because nothing is resolved but `.`, `..` and `//`.
"""

from __future__ import annotations

from typing import Final

from kassettui.core.errors import InvalidInput

KEY_VERSION: Final = 1
"""The version of the rules in this module. A changed rule comes with a migration that re-keys (I6)."""

FILESYSTEM: Final = "fs"
"""The source whose keys are paths below the collection's root."""


def normal_path(path: str) -> str:
    """`path`, relative to a collection's root, with `.`, `..` and doubled slashes resolved; "" is the root.

    Bytes, case and Unicode form of the names stay (I5). Raises InvalidInput for a path that is absolute,
    leaves the root or holds NUL.
    """
    if path.startswith("/"):
        raise InvalidInput(f"{path!r} is not relative to the collection's root.")
    if "\0" in path:
        raise InvalidInput("A path cannot hold a NUL character.")
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                raise InvalidInput(f"{path!r} leaves the collection's root.")
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def path_key(directory: str, name: str) -> str:
    """The key of what `directory` (relative to the root, normal) holds as `name` (I5).

    `name` is a file's name, or a sequence's identity name: head, one `#`, tail and extension. A sequence's
    range, padding and first frame are attributes, so a growing render keeps its key.
    """
    return f"fs:{directory}/{name}" if directory else f"fs:{name}"


def external_key(source: str, external_id: str) -> str:
    """The key of an item that its source names by an id of its own (I5). Raises InvalidInput when empty."""
    if not source or ":" in source or source == FILESYSTEM or not external_id:
        raise InvalidInput(f"No key can be made of source {source!r} and external id {external_id!r}.")
    return f"{source}:{external_id}"


def relative_path(key: str) -> str:
    """What a file-system key says after `fs:`. Raises InvalidInput for the key of another source."""
    if not key.startswith("fs:"):
        raise InvalidInput(f"{key!r} is not the key of a file.")
    return key[3:]


def scope_prefix(directory: str) -> str:
    """The prefix of every key below `directory` ("" is the whole collection)."""
    return f"fs:{directory}/" if directory else "fs:"


def parent_and_name(key: str) -> tuple[str, str]:
    """(directory, name) of a file-system key; the inverse of `path_key`."""
    directory, _, name = relative_path(key).rpartition("/")
    return directory, name
