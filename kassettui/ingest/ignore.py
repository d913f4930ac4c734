"""What a scan leaves out: the names ignored by default, and `.kassettuiignore` files (spec: ingest).

Patterns are gitignore's. An ignore file counts for its directory and below, the deeper one over the higher,
and all of them over the defaults (so `!.reference` brings a dotfile back); what is in an ignored directory
cannot be brought back, because nobody looks into it. Nothing here touches a disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from kassettui.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

IGNORE_FILE: Final = ".kassettuiignore"
"""A file of this name holds the patterns of its directory."""

DEFAULT_NAMES: Final = frozenset({"Thumbs.db", "@eaDir", "lost+found"})
"""Ignored by name. Everything that begins with a dot is ignored too (`.DS_Store`, `._*`, `.snapshot`)."""

_SILENT: Final = (".DS_Store", "._", ".nfs", ".snapshot", ".fuse_hidden", IGNORE_FILE)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold in one directory: patterns of its own, then those from above, then the defaults.

    `directory` is relative to the scan's root ("" is the root). Values: `within` makes the rules of a
    directory below.
    """

    directory: str = ""
    spec: GitIgnoreSpec | None = None
    above: IgnoreRules | None = None

    @classmethod
    def of(cls, patterns: Iterable[str] = ()) -> IgnoreRules:
        """The rules of a collection's root. Raises InvalidInput for a pattern that cannot be one."""
        spec = _spec(patterns)
        return cls() if spec is None else cls("", spec)

    def within(self, directory: str, patterns: Iterable[str]) -> IgnoreRules:
        """The rules below `directory` (relative to the root), whose ignore file holds `patterns`.

        Raises InvalidInput for a pattern that cannot be one.
        """
        spec = _spec(patterns)
        return self if spec is None else IgnoreRules(directory, spec, self)

    @property
    def plain(self) -> bool:
        """Whether there are no patterns: then `left_out_by_default` is all there is to ask."""
        return self.spec is None and self.above is None

    def ignores(self, path: str, *, is_directory: bool = False) -> bool:
        """Whether `path` (relative to the root) is left out, its parents being scanned."""
        rules: IgnoreRules | None = self
        tested = f"{path}/" if is_directory else path
        while rules is not None:
            if rules.spec is not None:
                below = tested[len(rules.directory) + 1 :] if rules.directory else tested
                verdict = rules.spec.check_file(below).include
                if verdict is not None:
                    return verdict
            rules = rules.above
        return left_out_by_default(path.rpartition("/")[2])


def left_out_by_default(name: str) -> bool:
    """Whether a name is ignored without any pattern."""
    return name.startswith(".") or name in DEFAULT_NAMES


def may_be_evidence(name: str) -> bool:
    """Whether an ignored dotfile may be the temporary file of a frame (`.beauty.1005.exr.Xa81Qz`, S15)."""
    return name.startswith(".") and not name.startswith(_SILENT)


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec | None:
    """The compiled patterns; None when there are none but comments and blank lines."""
    lines = [line for line in patterns if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    try:
        return GitIgnoreSpec.from_lines(lines)
    except GitIgnorePatternError as error:
        raise InvalidInput(f"An ignore pattern is not valid: {error}") from error
