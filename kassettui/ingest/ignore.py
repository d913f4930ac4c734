"""Which names of a directory a scan looks at: ignored names, `.kassettuiignore`, extensions (spec: ingest).

Patterns are gitignore's. An ignore file counts for its directory and below, the deeper one over the higher,
and all of them over the defaults (so `!.reference` brings a dotfile back); what is in an ignored directory
cannot be brought back, because nobody looks into it. Nothing here touches a disk.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.kinds import COMPOUND_EXTENSIONS, Kind, is_frame_extension, kind_of, split_extension
from kassettui.core.naming import TEMPORARY_ENDINGS

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    _Pattern = tuple[bool, re.Pattern[str]]  # whether it ignores, and what


IGNORE_FILE: Final = ".kassettuiignore"
"""A file of this name holds the patterns of its directory."""

DEFAULT_NAMES: Final = frozenset({"Thumbs.db", "@eaDir", "lost+found"})
"""Ignored by name. Everything that begins with a dot is ignored too (`.DS_Store`, `._*`, `.snapshot`)."""

_PACKED: Final = frozenset(extension.rpartition(".")[2] for extension in COMPOUND_EXTENSIONS)
_MOST_KNOWN: Final = 4096  # extensions remembered: a tree of numbered backups has endless ones
_SILENT: Final = (".DS_Store", "._", ".nfs", ".snapshot", ".fuse_hidden", ".kassettui")


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold in one directory: patterns of its own, then those from above, then the defaults.

    `directory` is relative to the scan's root ("" is the root). Values: `within` makes the rules of a
    directory below.
    """

    directory: str = ""
    patterns: tuple[str, ...] = ()
    above: IgnoreRules | None = None

    @classmethod
    def of(cls, patterns: Iterable[str] = ()) -> IgnoreRules:
        """The rules of a collection's root. Raises InvalidInput for a pattern that cannot be one."""
        return cls().within("", patterns)

    def within(self, directory: str, patterns: Iterable[str]) -> IgnoreRules:
        """The rules below `directory` (relative to the root), whose ignore file holds `patterns`.

        Raises InvalidInput for a pattern that cannot be one.
        """
        lines = tuple(
            line for line in patterns if line.strip() and not line.startswith("#") and "\0" not in line
        )
        if not lines:
            return self
        _compiled(lines)
        return IgnoreRules(directory, lines, None if self.plain else self)

    @property
    def plain(self) -> bool:
        """Whether there are no patterns: then `left_out_by_default` is all there is to ask."""
        return not self.patterns

    def ignores(self, path: str, *, is_directory: bool = False) -> bool:
        """Whether `path` (relative to the root) is left out, its parents being scanned."""
        rules: IgnoreRules | None = self
        while rules is not None and rules.patterns:
            below = path[len(rules.directory) + 1 :] if rules.directory else path
            verdict = _verdict(_compiled(rules.patterns), below, is_directory)
            if verdict is not None:
                return verdict
            rules = rules.above
        return left_out_by_default(path.rpartition("/")[2])

    def left_in(self, prefix: str, names: list[str], evidence: list[str]) -> list[str]:
        """The names of files that are not ignored; ignored ones that may be evidence go to `evidence`.

        `names` is ascending, and may be changed; `prefix` is their directory's path, with its slash.
        """
        if self.plain:
            return _left_in_by_default(names, evidence)
        kept = []
        for name in names:
            if not self.ignores(prefix + name):
                kept.append(name)
            elif may_be_evidence(name):
                evidence.append(name)
        return kept


def left_out_by_default(name: str) -> bool:
    """Whether a name is ignored without any pattern."""
    return name.startswith(".") or name in DEFAULT_NAMES


def may_be_evidence(name: str) -> bool:
    """Whether an ignored dotfile may be the temporary file of a frame (`.beauty.1005.exr.Xa81Qz`, S15)."""
    return name.startswith(".") and not name.startswith(_SILENT)


class _Use(Enum):
    """What a name is good for, by its extension."""

    ITEM = auto()
    EVIDENCE = auto()
    NONE = auto()


class Uses:
    """Which names may become items, by extension: pictures, movies, sounds, and the others when asked."""

    def __init__(self, *, all_files: bool = False) -> None:
        self._all_files = all_files
        self._known: dict[str, _Use] = {}

    def items(self, names: list[str], evidence: list[str]) -> list[str]:
        """The names that may become items; those of temporary files go to `evidence` (S15)."""
        if names and self._of(names[-1]) is _Use.ITEM:
            ending = names[-1][names[-1].rfind(".") :]
            if ending[1:] in self._known and "/".join(names).count(f"{ending}/") == len(names) - 1:
                return names
        kept = []
        for name in names:
            use = self._of(name)
            if use is _Use.ITEM:
                kept.append(name)
            elif use is _Use.EVIDENCE:
                evidence.append(name)
        return kept

    def _of(self, name: str) -> _Use:
        dot = name.rfind(".")
        extension = name[dot + 1 :]
        use = self._known.get(extension) if dot > 0 else None
        if use is None:
            use = self._looked_at(name)
            if dot > 0 and extension not in _PACKED and len(self._known) < _MOST_KNOWN:
                self._known[extension] = use
        return use

    def _looked_at(self, name: str) -> _Use:
        if name.lower().endswith(TEMPORARY_ENDINGS):
            return _Use.EVIDENCE
        extension = split_extension(name)[1]
        if self._all_files or is_frame_extension(extension) or kind_of(extension) is not Kind.OTHER:
            return _Use.ITEM
        return _Use.NONE


def _left_in_by_default(names: list[str], evidence: list[str]) -> list[str]:
    begin, end = bisect_left(names, "."), bisect_left(names, "/")  # "/" comes next and is in no name
    if end > begin:
        evidence += filter(may_be_evidence, names[begin:end])
        del names[begin:end]
    for name in DEFAULT_NAMES:
        place = bisect_left(names, name)
        if names[place : place + 1] == [name]:
            del names[place]
    return names


def _verdict(patterns: Iterable[_Pattern], path: str, is_directory: bool) -> bool | None:
    """What the last pattern says that means `path` itself, None when there is none.

    Asked pattern by pattern: the library's own answer lets patterns of directories speak for all that is in
    them, which is decided here by not going there, and lets a bare `*` win over a later `!*/`.
    """
    for include, expression in patterns:
        if _means(expression, path, 0) or (is_directory and _means(expression, f"{path}/", len(path) + 1)):
            return include
    return None


def _means(expression: re.Pattern[str], path: str, end: int) -> bool:
    """Whether a pattern means `path`, with the end of a directory at `end`; 0: as something of any kind.

    The one group of these expressions stands where a directory ends that the pattern means.
    """
    if not expression.groups:
        return not end and expression.search(path) is not None
    return any(max(0, match.end(1)) == end for match in expression.finditer(path))


@lru_cache(maxsize=256)
def _compiled(lines: tuple[str, ...]) -> tuple[_Pattern, ...]:
    """The patterns, the last one first."""
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError

    try:
        patterns = list(GitIgnoreSpec.from_lines(lines).patterns)
    except GitIgnorePatternError as error:
        raise InvalidInput(f"An ignore pattern is not valid: {error}") from error
    return tuple(
        (pattern.include, pattern.regex)
        for pattern in reversed(patterns)
        if pattern.include is not None and pattern.regex is not None
    )
