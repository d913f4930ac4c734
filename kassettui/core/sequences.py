"""From the names of one directory to its sequences (spec: sequences S1-S16, S21).

`group` takes what a directory holds and says which files are the frames of which sequence, which stand alone,
which are stray copies and which are only evidence that somebody is writing. Every name ends in exactly one of
these. How a single name is read stands in `naming`; no object is kept for a frame, only arrays.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kassettui.core.frames import FrameRanges
from kassettui.core.kinds import kind_of, split_extension
from kassettui.core.naming import (
    NEGATIVE,
    ZERO_LED,
    Numbered,
    is_stray,
    is_temporary,
    read_name,
    read_word_name,
)
from kassettui.core.versions import token_in, version_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.core.kinds import Kind

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


def number_text(frame: int, padding: int, sign_in_width: bool = False, decimals: int = 0) -> str:
    """A frame's number as it stands in a name; `sign_in_width`: the minus is one of the places (S9)."""
    if decimals:
        whole, part = divmod(abs(frame), 10**decimals)
        return f"{'-' if frame < 0 else ''}{whole:0{padding}d}.{part:0{decimals}d}"
    if frame >= 0:
        return f"{frame:0{padding}d}"
    return f"{frame:0{padding}d}" if sign_in_width else f"-{-frame:0{padding}d}"


class _Members:
    """The members of one group while names are read: three numbers a file, no objects."""

    __slots__ = ("codes", "frames", "indexes")

    def __init__(self) -> None:
        self.frames = array("q")
        self.codes = array("B")
        self.indexes = array("L")


_Key = tuple[str, str, str, int]
"""(head, tail, extension, decimals) of a group."""


def group(
    names: Sequence[str],
    sizes: Sequence[int] | None = None,
    mtimes: Sequence[int] | None = None,
    *,
    subframes: bool = False,
    udim: bool = False,
) -> Grouping:
    """Group the names of one directory (no paths). `sizes` in bytes and `mtimes` in ns run parallel to them.

    `subframes` reads `.1001.25.` as frame 1001.25 (S10), `udim` marks tiles 1001-1999 as such (S11).
    """
    found: dict[_Key, _Members] = {}
    singles: list[Single] = []
    strays: list[Single] = []
    temporary: list[str] = []
    _read_all(names, subframes, found, singles, strays, temporary)
    groups: list[FrameGroup] = []
    retried: dict[_Key, _Members] = {}
    for key, members in found.items():
        if _stands(key, members):
            groups.append(_finished(key, members, names))
        else:
            _apart(members, names, subframes, retried, singles)
    groups.extend(
        _finished(key, members, names)
        for key, members in retried.items()
        if _stands(key, members) or _demoted(members, names, singles)
    )
    groups.sort(key=lambda each: (each.head, each.tail, each.extension, each.decimals))
    for each in groups:
        _measured(each, sizes, mtimes)
        each.udim = udim and each.padding == 4 and all(frame in UDIM_TILES for frame in each.frames)
    _mark_growing(groups, temporary)
    singles.sort(key=lambda single: single.index)
    return Grouping(
        groups=tuple(groups),
        singles=tuple(singles),
        strays=tuple(strays),
        temporary=tuple(temporary),
        warnings=tuple(_warnings(groups, subframes)),
    )


def _read_all(
    names: Sequence[str],
    subframes: bool,
    found: dict[_Key, _Members],
    singles: list[Single],
    strays: list[Single],
    temporary: list[str],
) -> None:
    """Read every name once. Runs come in order, so most names are compared with the one before."""
    prefix = suffix = ""
    cut_head = cut_tail = 0
    add_frame = add_code = add_index = array("q").append
    for index, name in enumerate(names):
        if prefix and name.startswith(prefix) and name.endswith(suffix):
            digits = name[cut_head:cut_tail]
            if digits.isdigit() and digits.isascii() and len(digits) <= 8:
                width = len(digits)
                add_frame(int(digits))
                add_code(width << 2 | ZERO_LED if digits[0] == "0" and width > 1 else width << 2)
                add_index(index)
                continue
        numbered = read_name(name, subframes)
        if numbered is None:
            _set_aside(name, index, singles, strays, temporary)
            continue
        key = (numbered.head, numbered.tail, numbered.extension, numbered.decimals)
        members = found.get(key)
        if members is None:
            members = found[key] = _Members()
        add_frame, add_code, add_index = members.frames.append, members.codes.append, members.indexes.append
        add_frame(numbered.frame)
        add_code(numbered.code)
        add_index(index)
        prefix = numbered.head if numbered.steady else ""
        suffix = f"{numbered.tail}.{numbered.extension}"
        cut_head, cut_tail = len(prefix), -len(suffix)


def _set_aside(
    name: str, index: int, singles: list[Single], strays: list[Single], temporary: list[str]
) -> None:
    if is_temporary(name):
        temporary.append(name)
    elif is_stray(name):
        strays.append(_single(name, index))
    else:
        singles.append(_single(name, index))


def _single(name: str, index: int) -> Single:
    return Single(name, index, kind_of(split_extension(name)[1]), version_in(name))


def _stands(key: _Key, members: _Members) -> bool:
    """Whether these are a sequence: one frame behind a dot is, elsewhere it takes two (S12)."""
    head = key[0]
    if head[-1:] == ".":
        return True
    if len(members.frames) < 2:
        return False
    return head[-1:] in ("_", "-") or max(members.codes) >> 2 >= 2


def _apart(
    members: _Members,
    names: Sequence[str],
    subframes: bool,
    retried: dict[_Key, _Members],
    singles: list[Single],
) -> None:
    """Members that make no sequence: their number may stand before a word (S2), else they stand alone."""
    for index in members.indexes:
        numbered: Numbered | None = None if subframes else read_word_name(names[index])
        if numbered is None:
            singles.append(_single(names[index], index))
            continue
        other = retried.setdefault((numbered.head, numbered.tail, numbered.extension, 0), _Members())
        other.frames.append(numbered.frame)
        other.codes.append(numbered.code)
        other.indexes.append(index)


def _demoted(members: _Members, names: Sequence[str], singles: list[Single]) -> bool:
    """Put what made no sequence at the second try among the singles; always False."""
    singles.extend(_single(names[index], index) for index in members.indexes)
    return False


def _finished(key: _Key, members: _Members, names: Sequence[str]) -> FrameGroup:
    """The group, its padding decided, its members sorted (S7, S8, S9)."""
    head, tail, extension, decimals = key
    codes = set(members.codes)
    padding, assumed, sign_in_width = _padding(Counter(members.codes) if len(codes) > 1 else codes)
    group_ = FrameGroup(
        head=head,
        tail=tail,
        extension=extension,
        padding=padding,
        padding_assumed=assumed,
        sign_in_width=sign_in_width,
        decimals=decimals,
        frames=members.frames,
        indexes=members.indexes,
        version=None if (token := token_in(f"{head.rstrip('._-')}{tail}")) is None else token.number,
    )
    if len(codes) > 1:
        _weed(group_, members, names)
    _sort(group_)
    return group_


def _padding(codes: Counter[int] | set[int]) -> tuple[int, bool, bool]:
    """(padding, assumed, sign_in_width) of members with these codes.

    A leading zero fixes the width, the most frequent one if there are several; without any, one width for all
    is taken for the padding, several mean none (S7). A negative number fills the width with its sign or
    without (S9).
    """
    counted = codes if isinstance(codes, Counter) else Counter(codes)
    led = Counter({code: times for code, times in counted.items() if code & ZERO_LED})
    widths: Counter[int] = Counter()
    for code, times in (led or counted).items():
        if not code & NEGATIVE:
            widths[code >> 2] += times
    negatives: Counter[int] = Counter()
    for code, times in counted.items():
        if code & NEGATIVE:
            negatives[code >> 2] += times
    if not led and len(set(widths) | set(negatives)) > 1:
        return 1, False, False
    if not widths:
        width = _most_frequent(negatives)
        sign_in_width = bool(led) and width == 3  # -001 and -0001 are both of width 4
        return width + sign_in_width, not led, sign_in_width
    width = _most_frequent(widths)
    return width, not led, negatives[width - 1] > counted[width << 2 | NEGATIVE | ZERO_LED]


def _most_frequent(widths: Counter[int]) -> int:
    return max(widths, key=lambda width: (widths[width], -width))


def _weed(group_: FrameGroup, members: _Members, names: Sequence[str]) -> None:
    """Take out what `name_of` would not give back: padded otherwise, or a frame that stands twice (S8)."""
    kept: set[int] = set()
    others: list[tuple[int, int]] = []
    frames, indexes = array("q"), array("L")
    for frame, index in zip(members.frames, members.indexes, strict=True):
        if group_.name_of(frame) == names[index]:
            kept.add(frame)
            frames.append(frame)
            indexes.append(index)
        else:
            others.append((frame, index))
    if not others:
        return
    group_.frames, group_.indexes = frames, indexes
    others.sort(key=lambda pair: (pair[0], names[pair[1]]))
    group_.duplicate_frames = tuple(names[index] for frame, index in others if frame in kept)
    group_.bad_padding = tuple(names[index] for frame, index in others if frame not in kept)
    group_.warnings = (f"{group_.pattern}: {len(others)} members are padded otherwise",)


def _sort(group_: FrameGroup) -> None:
    frames = group_.frames
    if all(map(int.__lt__, frames, frames[1:])):
        return
    order = sorted(range(len(frames)), key=frames.__getitem__)
    group_.frames = array("q", map(frames.__getitem__, order))
    group_.indexes = array("L", map(group_.indexes.__getitem__, order))


def _measured(group_: FrameGroup, sizes: Sequence[int] | None, mtimes: Sequence[int] | None) -> None:
    if sizes is not None:
        group_.sizes = array("q", map(sizes.__getitem__, group_.indexes))
    if mtimes is not None:
        group_.mtimes = array("q", map(mtimes.__getitem__, group_.indexes))


def _mark_growing(groups: list[FrameGroup], temporary: list[str]) -> None:
    """A temp file that bears a sequence's name says that it is being written (S15)."""
    if not temporary:
        return
    bare = [name.lstrip(".") for name in temporary]
    for each in groups:
        head = each.head or each.suffix
        each.growing_evidence = any(name.startswith(head) or f".{head}" in name for name in bare)


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
        stems = {each.head[:-1].rstrip("0123456789") for each in doubtful if not token_in(each.head[:-1])}
        for stem in sorted(stem for stem in stems if stem[-1:] == "."):
            yield f"{stem}…: subframes? (S10)"
