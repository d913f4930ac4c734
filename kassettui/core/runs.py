"""The names of one directory read into runs: same head, same tail, same width (spec: sequences S2, S21).

Names come ascending, so the frames of a sequence stand together: after a few of them the rest is compared as
one text, and names that alternate between sequences are told apart by what follows the number. Only what is
new goes through `naming`. A run keeps two numbers a file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.naming import read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kassettui.core.naming import Numbered

_HIGHEST: Final = "\U0010ffff"
_TOGETHER: Final = 4  # after so many names of one run in a row the next ones are tried at once
_AT_ONCE: Final = 1024


class RunKey(NamedTuple):
    """What the frames of one group share (S6, S10)."""

    head: str
    tail: str
    extension: str
    decimals: int


@dataclass(slots=True)
class Run:
    """Members of one group whose numbers have the same width and sign.

    `frames` ascends in size, whatever its sign; `indexes` (into the names) runs parallel.
    """

    width: int
    negative: bool = False
    frames: array[int] = field(default_factory=lambda: array("q"))
    indexes: array[int] = field(default_factory=lambda: array("L"))


Runs = dict[tuple[int, bool], Run]
"""A group's runs by width and sign."""


def add(found: dict[RunKey, Runs], numbered: Numbered, index: int) -> Run:
    """Put one name's number where it belongs; returns that run."""
    key = RunKey(numbered.head, numbered.tail, numbered.extension, numbered.decimals)
    runs = found.setdefault(key, {})
    shape = (numbered.width, numbered.negative)
    run = runs.get(shape)
    if run is None:
        run = runs[shape] = Run(*shape)
    run.frames.append(numbered.frame)
    run.indexes.append(index)
    return run


def indexes_of(runs: Runs) -> Iterator[int]:
    """The indexes of all members."""
    return chain.from_iterable(run.indexes for run in runs.values())


def read_runs(names: Sequence[str], subframes: bool, set_aside: Callable[[int], None]) -> dict[RunKey, Runs]:
    """The runs of ascending `names`; `set_aside` gets the index of every name without a number."""
    found: dict[RunKey, Runs] = {}
    tails: dict[str, Run] = {}  # what may follow the number, for the current prefix and width
    prefix, begin, end = "\0", 0, 0
    sign, row, last = 1, 0, None
    index, count, tried = 0, len(names), 0
    while index < count:
        name = names[index]
        if name.startswith(prefix):
            run = tails.get(name[end:])
            digits = name[begin:end]
            if run is not None and digits.isdigit() and digits.isascii() and (sign > 0 or digits.strip("0")):
                run.frames.append(sign * int(digits))
                run.indexes.append(index)
                index += 1
                row = row + 1 if run is last else 1
                last = run
                if row >= _TOGETHER and index >= tried:
                    tried = bisect_left(names, prefix + _HIGHEST, index, min(index + _AT_ONCE, count))
                    index = _together(names, index, tried, (prefix, end, name[end:]), run)
                continue
        numbered = read_name(name, subframes)
        if numbered is None:
            set_aside(index)
            index += 1
            continue
        last = run = add(found, numbered, index)
        index += 1
        row = 1
        if numbered.decimals:
            prefix = "\0"
            continue
        sign = -1 if numbered.negative else 1
        literal = f"{numbered.head}-" if numbered.negative else numbered.head
        if literal != prefix or end - begin != numbered.width:
            prefix, begin, end = literal, len(literal), len(literal) + numbered.width
            tails = {}
        tails[name[end:]] = run
    return found


def _together(names: Sequence[str], begin: int, end: int, shape: tuple[str, int, str], run: Run) -> int:
    """Take names[begin:end] into `run` if all of them belong there; returns the index of what comes next.

    All of them start with the prefix, being ascending. "/" is in no name, so that each place where one name
    ends and the next begins is found exactly.
    """
    prefix, stop, suffix = shape
    several = names[begin:end]
    count, width = len(several), stop - len(prefix)
    if (
        count < _TOGETHER
        or set(map(len, several)) != {stop + len(suffix)}
        or not several[-1].endswith(suffix)
    ):
        return begin
    digits = "/".join(several).replace(f"{suffix}/{prefix}", "")[len(prefix) : -len(suffix)]
    if not (len(digits) == width * count and digits.isdigit() and digits.isascii()):
        return begin
    sign = -1 if run.negative else 1
    first, last = int(digits[:width]), int(digits[-width:])
    if last - first + 1 == count:
        run.frames.extend(range(sign * first, sign * last + sign, sign))
    else:
        run.frames.extend(sign * int(digits[place : place + width]) for place in range(0, len(digits), width))
    run.indexes.extend(range(begin, end))
    return end
