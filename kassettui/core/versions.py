"""Versions in names: `comp_v012.1001.exr` is version 12 of `comp` (spec: sequences S3, library V6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# S3, with ASCII digits only (S1). The lookbehind keeps the separator before the token out of the match.
_TOKEN: Final = re.compile(r"(?i)(?:^|(?<=[._-]))v([0-9]{1,4})(?=[._-]|$)")


class Version(NamedTuple):
    """A version token in a name: its number, its digits' count, and where the token stands ([start:end])."""

    number: int
    width: int
    start: int
    end: int


def token_in(name: str) -> Version | None:
    """The last version token of `name`, a file's name or stem, or None (S3)."""
    if "v" not in name and "V" not in name:
        return None
    tokens = list(_TOKEN.finditer(name))
    if not tokens:
        return None
    last = tokens[-1]
    return Version(int(last[1]), len(last[1]), last.start(), last.end())


def version_in(name: str, parents: Iterable[str] = ()) -> int | None:
    """The version of `name`, else the one of the nearest of `parents` (nearest first), else None (S3)."""
    token = token_in(name)
    if token is not None:
        return token.number
    return next((token.number for parent in parents if (token := token_in(parent)) is not None), None)


def without_version(name: str) -> str:
    """`name` without its last version token and one separator beside it: the role of a version group (V6)."""
    token = token_in(name)
    if token is None:
        return name
    before, after = name[: token.start], name[token.end :]
    return before[:-1] + after if before else after[1:]


def with_version(name: str, number: int) -> str:
    """`name` with `number` in its last version token, padded as it was; unchanged when it has none."""
    token = token_in(name)
    if token is None:
        return name
    return f"{name[: token.start]}{name[token.start]}{number:0{token.width}d}{name[token.end :]}"
