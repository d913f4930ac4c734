"""Rows as lines: fitted to a terminal's width, or tab-separated. Pure: nothing here writes anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Row = Mapping[str, Any]

_SAMPLE: Final = 200  # rows that settle the columns' widths; later ones are cut to them
_GAP: Final = "  "
_COMFORTABLE: Final = 32
_NARROW: Final = 12
_RESET: Final = "\x1b[0m"
STYLES: Final = {
    "": "",
    "head": "\x1b[2m",
    "good": "\x1b[32m",
    "warn": "\x1b[33m",
    "bad": "\x1b[31m",
    "dim": "\x1b[2m",
    "strong": "\x1b[1m",
}


def _plain(value: Any) -> Any:
    return value


def _no_style(_value: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` in the row and in every machine format, `title` for people.

    `shown` turns the value into words for a terminal, `plain` into what tab-separated output and CSV carry.
    `shrinks`: gives up width first, losing its middle (its end, where it is `prose`). `rank`: columns of the
    highest rank leave first when the terminal is too narrow; 0 leaves last.
    """

    key: str
    title: str
    shown: Callable[[Any], str] = str
    plain: Callable[[Any], Any] = _plain
    style: Callable[[Any], str] = _no_style
    right: bool = False
    shrinks: bool = False
    prose: bool = False
    rank: int = 0
    of_row: Callable[[Row], str] | None = None
    """Where a terminal's words need more than the one value."""

    def cell(self, row: Row) -> str:
        """The value's words, safe for a terminal."""
        if self.of_row is not None:
            return safe(self.of_row(row))
        value = row.get(self.key)
        return "" if value is None else safe(self.shown(value))


def width_of(text: str) -> int:
    """Cells that a terminal needs for `text`."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int, *, prose: bool = False) -> str:
    """`text` within `width` cells; a longer name loses its middle: frames and versions stay readable."""
    if width_of(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = 0 if prose else width // 2
    head = width - 1 - tail
    return _from_start(text, head) + "…" + _from_start(text[::-1], tail)[::-1]


def _from_start(text: str, width: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += width_of(character)
        if taken > width:
            return text[:index]
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `width` cells."""
    gap = " " * max(0, width - width_of(text))
    return gap + text if right else text + gap


def separated(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[str]:
    """Tab-separated lines with a header; tabs, newlines and control characters as visible escapes."""
    rows = iter(rows)
    first = list(islice(rows, 1))  # what fails before the first row leaves no header behind
    yield "\t".join(column.key for column in columns)
    for row in chain(first, rows):
        values = (column.plain(row.get(column.key)) for column in columns)
        yield "\t".join("" if value is None else safe(str(value)) for value in values)


def fitted(columns: Sequence[Column], rows: Iterable[Row], width: int, *, color: bool) -> Iterator[str]:
    """Lines of at most `width` cells. The first rows settle the widths, so that long lists start at once."""
    rows = iter(rows)
    sample = list(islice(rows, _SAMPLE))
    if not sample:
        return
    cells = [[column.cell(row) for column in columns] for row in sample]
    natural = []
    for index, column in enumerate(columns):
        needed = max(width_of(line[index]) for line in cells)
        # What says nothing in any of these rows leaves, unless it is one that always stays.
        natural.append(max(width_of(column.title), needed) if needed or not column.rank else 0)
    widths = fit(columns, natural, width)
    kept = [index for index, given in enumerate(widths) if given]
    shown = [columns[i] for i in kept]
    given = [widths[i] for i in kept]
    yield _line([column.title for column in shown], shown, given, ["head"] * len(shown), color=color)
    for row in chain(sample, rows):
        styles = ["" if row.get(column.key) is None else column.style(row[column.key]) for column in shown]
        yield _line([column.cell(row) for column in shown], shown, given, styles, color=color)


class Fact(NamedTuple):
    """One thing that is known of something: its label, the words, how they are painted."""

    label: str
    value: str
    style: str = ""


def tabbed(facts: Sequence[Fact]) -> Iterator[str]:
    """Label, tab, value."""
    for fact in facts:
        yield f"{safe(fact.label)}\t{safe(fact.value)}"


def labelled(facts: Sequence[Fact], width: int, *, color: bool) -> Iterator[str]:
    """Labels in a column of their own, values beside them, wrapped to `width` cells; nothing is cut."""
    column = max((width_of(safe(fact.label)) for fact in facts), default=0)
    for fact in facts:
        name = painted(pad(safe(fact.label), column), "head", color=color)
        for piece in _wrapped(safe(fact.value), max(8, width - column - len(_GAP))):
            yield f"{name}{_GAP}{painted(piece, fact.style, color=color)}".rstrip(" ")
            name = " " * column


def painted(text: str, style: str, *, color: bool) -> str:
    """`text` in one of STYLES, where there is colour."""
    return f"{STYLES[style]}{text}{_RESET}" if color and style and text.strip() else text


def _wrapped(text: str, width: int) -> Iterator[str]:
    while width_of(text) > width:
        piece = _from_start(text, width)
        space = piece.rfind(" ")
        piece = piece[:space] if space > width // 2 else piece
        yield piece
        text = text[len(piece) :].lstrip(" ")
    yield text


def fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """How many cells each column gets; 0 for one that has to leave.

    In this order, until all fits: names shrink to a comfortable width, columns leave by rank, names shrink
    further, columns leave from the right.
    """
    widths = list(natural)

    def excess() -> int:
        used = [given for given in widths if given]
        return sum(used) + len(_GAP) * (len(used) - 1) - width

    def shrink(least: int) -> None:
        for index in sorted(range(len(columns)), key=lambda i: -widths[i]):
            if columns[index].shrinks and excess() > 0:
                widths[index] = max(min(widths[index], least), widths[index] - excess())

    shrink(_COMFORTABLE)
    for rank in sorted({column.rank for column in columns if column.rank}, reverse=True):
        for index in reversed(range(len(columns))):
            if columns[index].rank == rank and excess() > 0:
                widths[index] = 0
    shrink(_NARROW)
    for index in reversed(range(1, len(columns))):
        if excess() > 0:
            widths[index] = 0
    widths[0] = min(widths[0], width)
    _give_back(natural, widths, -excess())
    return widths


def _give_back(natural: Sequence[int], widths: list[int], spare: int) -> None:
    """Columns that shrank take what others left by leaving."""
    for index in range(len(widths)):
        if widths[index] and spare > 0:
            more = min(spare, natural[index] - widths[index])
            widths[index] += more
            spare -= more


def _line(
    cells: Sequence[str],
    columns: Sequence[Column],
    widths: Sequence[int],
    styles: Sequence[str],
    *,
    color: bool,
) -> str:
    parts = []
    for cell, column, width, style in zip(cells, columns, widths, styles, strict=True):
        parts.append(
            painted(pad(cut(cell, width, prose=column.prose), width, right=column.right), style, color=color)
        )
    return _GAP.join(parts).rstrip(" ")
