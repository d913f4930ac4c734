"""From the names of one directory to its sequences (spec: sequences S1-S16, S21).

`group` takes what a directory holds and says which files are the frames of which sequence, which stand alone,
which are stray copies and which are only evidence that somebody is writing. Every name ends in exactly one of
these. How a single name is read stands in `naming`; no object is kept for a frame, only arrays.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter, lt
from typing import TYPE_CHECKING, Final

from kassettui.core.frames import FrameRanges, exact_text
from kassettui.core.kinds import kind_of, split_extension
from kassettui.core.naming import DIGITS, TEMPORARY_ENDINGS, is_stray, is_temporary, read_word_name
from kassettui.core.padding import number_text, settle
from kassettui.core.runs import add, indexes_of, read_runs
from kassettui.core.versions import token_in, version_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kassettui.core.kinds import Kind
    from kassettui.core.padding import Members
    from kassettui.core.runs import RunKey, Runs

UDIM_TILES: Final = range(1001, 2000)


@dataclass(slots=True)
class FrameGroup:
    """One sequence of one directory.

    `head` includes the separator, `tail` is what stands between the number and the extension's dot ("" or
    `.beauty`). `frames` is ascending; `sizes` (bytes), `mtimes` (ns) and `indexes` (into the names that were
    grouped) run parallel to it. Frames of a sequence with `decimals` are scaled by 10 to that power (S10).
    """

    head: str
    tail: str
    extension: str
    padding: int
    frames: array[int]
    indexes: array[int]
    sizes: array[int] | None = None
    mtimes: array[int] | None = None
    padding_assumed: bool = False
    sign_in_width: bool = False
    decimals: int = 0
    udim: bool = False
    version: int | None = None
    bad_padding: tuple[str, ...] = ()
    duplicate_frames: tuple[str, ...] = ()
    growing_evidence: bool = False
    warnings: tuple[str, ...] = ()
    _ranges: FrameRanges | None = field(default=None, repr=False, compare=False)

    @property
    def ranges(self) -> FrameRanges:
        """The frames as ranges (S17)."""
        if self._ranges is None:
            self._ranges = FrameRanges.of_sorted(self.frames)
        return self._ranges

    @property
    def range_text(self) -> str:
        """The frames as text, with their decimals if they have any."""
        return exact_text(self.ranges, self.decimals)

    @property
    def suffix(self) -> str:
        """What follows the number in every member's name."""
        return f"{self.tail}.{self.extension}"

    @property
    def pattern(self) -> str:
        """The name with one `#` for each digit of the padding."""
        return f"{self.head}{'#' * self.padding}{self.suffix}"

    @property
    def identity_name(self) -> str:
        """The name with one `#` whatever the padding: what stays the same while a render grows (I5)."""
        return f"{self.head}#{self.suffix}"

    def name_of(self, frame: int) -> str:
        """The name of the member with `frame` on disk."""
        return (
            f"{self.head}{number_text(frame, self.padding, self.sign_in_width, self.decimals)}{self.suffix}"
        )

    def names(self) -> Iterator[str]:
        """Every member's name, ascending by frame; then those that were padded otherwise or stood twice."""
        yield from map(self.name_of, self.frames)
        yield from self.bad_padding
        yield from self.duplicate_frames


@dataclass(frozen=True, slots=True)
class Single:
    """A file that stands alone; `index` is its place among the names that were grouped."""

    name: str
    index: int
    kind: Kind
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """What one directory holds; every name is in exactly one of these."""

    groups: tuple[FrameGroup, ...] = ()
    singles: tuple[Single, ...] = ()
    strays: tuple[Single, ...] = ()
    temporary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def group(
    names: Sequence[str],
    sizes: Sequence[int] | None = None,
    mtimes: Sequence[int] | None = None,
    *,
    evidence: Sequence[str] = (),
    subframes: bool = False,
    udim: bool = False,
) -> Grouping:
    """Group the names of one directory (no paths, no name twice); ascending ones without a copy.

    `sizes` in bytes and `mtimes` in ns run parallel to the names. `evidence` are further names that only say
    that somebody writes (S15). `subframes` reads `.1001.25.` as frame 1001.25 (S10), `udim` marks tiles
    1001-1999 as such (S11).
    """
    if all(map(lt, names, islice(names, 1, None))):
        return _Gathering(names, sizes, mtimes, evidence, subframes, udim).grouping()
    order = sorted(range(len(names)), key=names.__getitem__)
    ordered = _Gathering(
        [names[index] for index in order],
        None if sizes is None else [sizes[index] for index in order],
        None if mtimes is None else [mtimes[index] for index in order],
        evidence,
        subframes,
        udim,
    ).grouping()
    for each in ordered.groups:
        each.indexes = array("L", map(order.__getitem__, each.indexes))
    return replace(
        ordered,
        singles=_back_in_order(ordered.singles, order),
        strays=_back_in_order(ordered.strays, order),
    )


def _back_in_order(singles: Iterable[Single], order: list[int]) -> tuple[Single, ...]:
    placed = (replace(single, index=order[single.index]) for single in singles)
    return tuple(sorted(placed, key=attrgetter("index")))


class _Gathering:
    """One call of `group`: ascending names on their way to groups, singles, strays and evidence."""

    def __init__(
        self,
        names: Sequence[str],
        sizes: Sequence[int] | None,
        mtimes: Sequence[int] | None,
        evidence: Sequence[str],
        subframes: bool,
        udim: bool,
    ) -> None:
        self._names = names
        self._sizes = sizes
        self._mtimes = mtimes
        self._subframes = subframes
        self._udim = udim
        self._groups: list[FrameGroup] = []
        self._singles: list[Single] = []
        self._strays: list[Single] = []
        self._temporary = list(evidence)

    def grouping(self) -> Grouping:
        """Read the names, and say what they are."""
        found = read_runs(self._names, self._subframes, self._set_aside)
        retried: dict[RunKey, Runs] = {}
        for key, runs in found.items():
            if _stands(key, runs):
                self._finish(key, runs)
            else:
                self._read_again(runs, retried)
        for key, runs in retried.items():
            if _stands(key, runs):
                self._finish(key, runs)
            else:
                self._singles.extend(map(self._single, indexes_of(runs)))
        groups, singles = self._groups, self._singles
        if len(groups) > 1:
            groups.sort(key=lambda each: (each.head, each.tail, each.extension, each.decimals))
        if len(singles) > 1:
            singles.sort(key=attrgetter("index"))
        if self._temporary:
            _mark_growing(groups, self._temporary)
        return Grouping(
            groups=tuple(groups),
            singles=tuple(singles),
            strays=tuple(self._strays),
            temporary=tuple(self._temporary),
            warnings=tuple(_warnings(groups, self._subframes)),
        )

    def _set_aside(self, index: int) -> None:
        name = self._names[index]
        if is_temporary(name):
            self._temporary.append(name)
        elif is_stray(name):
            self._strays.append(self._single(index))
        else:
            self._singles.append(self._single(index))

    def _single(self, index: int) -> Single:
        name = self._names[index]
        return Single(name, index, kind_of(split_extension(name)[1]), version_in(name))

    def _read_again(self, runs: Runs, retried: dict[RunKey, Runs]) -> None:
        """Members that make no sequence: their number may stand before a word (S2), else they stand alone."""
        for index in indexes_of(runs):
            numbered = None if self._subframes else read_word_name(self._names[index])
            if numbered is None:
                self._singles.append(self._single(index))
            else:
                add(retried, numbered, index)

    def _finish(self, key: RunKey, runs: Runs) -> None:
        """The group, its padding decided, what is padded otherwise put aside (S7, S8, S9)."""
        members = settle(runs, key.decimals)
        head, tail, extension, decimals = key
        token = token_in(f"{head.rstrip('._-')}{tail}")
        padding = members.padding
        made = FrameGroup(
            head=head,
            tail=tail,
            extension=extension,
            padding=padding.width,
            frames=members.frames,
            indexes=members.indexes,
            sizes=_column(self._sizes, members),
            mtimes=_column(self._mtimes, members),
            padding_assumed=padding.assumed,
            sign_in_width=padding.sign_in_width,
            decimals=decimals,
            version=None if token is None else token.number,
        )
        if self._udim and made.padding == 4:
            made.udim = made.frames[0] in UDIM_TILES and made.frames[-1] in UDIM_TILES
        if members.others:
            names = self._names
            others = sorted(members.others, key=lambda other: (other[0], names[other[1]]))
            taken = members.taken
            made.duplicate_frames = tuple(names[index] for frame, index in others if frame in taken)
            made.bad_padding = tuple(names[index] for frame, index in others if frame not in taken)
            made.warnings = (f"{made.pattern}: {len(others)} members are padded otherwise",)
        self._groups.append(made)


def _stands(key: RunKey, runs: Runs) -> bool:
    """Whether these are a sequence: one frame behind a dot is, elsewhere it takes two (S12)."""
    separator = key.head[-1:]
    if separator == ".":
        return True
    wide_enough = 1 if separator in ("_", "-") else 2
    return sum(len(run.frames) for run in runs.values() if run.width >= wide_enough) >= 2


def _column(values: Sequence[int] | None, members: Members) -> array[int] | None:
    """The values of the members; a slice where they stand together."""
    if values is None:
        return None
    indexes = members.indexes
    first, last = indexes[0], indexes[-1]
    if members.together and last - first + 1 == len(indexes) and isinstance(values, array):
        return values[first : last + 1]
    return array("q", map(values.__getitem__, indexes))


def _mark_growing(groups: Iterable[FrameGroup], temporary: Iterable[str]) -> None:
    """A temp file that bears the name of a sequence's frame says that it is being written (S15)."""
    by_head: defaultdict[str, list[FrameGroup]] = defaultdict(list)
    for each in groups:
        by_head[each.head].append(each)
    for name in temporary:
        for bare in _without_marks(name):
            for place in range(len(bare)):
                for each in by_head.get(bare[:place], ()):
                    each.growing_evidence |= _is_frame_of(bare[place:], each.suffix)


def _without_marks(name: str) -> Iterator[str]:
    """`name` without what stands in front of a temp file's name: dots, tildes, `part.`."""
    bare = name.lstrip(".~")
    yield bare
    first, _, rest = bare.partition(".")
    if f".{first.lower()}" in TEMPORARY_ENDINGS:
        yield rest


def _is_frame_of(text: str, suffix: str) -> bool:
    """Whether `text` is a number and `suffix`, with a temp file's marks behind, between or in its place."""
    digits = text.removeprefix("-")
    after = digits.lstrip(DIGITS)
    if after == digits:
        return False
    return after.startswith(suffix) or after.endswith(suffix) or after.lower() in TEMPORARY_ENDINGS


def _warnings(groups: list[FrameGroup], subframes: bool) -> Iterator[str]:
    by_case: defaultdict[tuple[str, str, str], list[FrameGroup]] = defaultdict(list)
    for each in groups:
        by_case[each.head, each.tail, each.extension.lower()].append(each)
        yield from each.warnings
    for same in by_case.values():
        if len(same) > 1:
            yield f"{same[0].pattern}: the extension also stands here in another case (S16)"
    if not subframes:
        doubtful = [each for each in groups if each.head[-2:-1].isdigit() and each.head[-1:] == "."]
        stems = {each.head[:-1].rstrip(DIGITS) for each in doubtful if not token_in(each.head[:-1])}
        for stem in sorted(stem for stem in stems if stem[-1:] == "."):
            yield f"{stem}…: subframes? (S10)"
