"""Bulk rename: a template, find and replace, or a person's own lines; every pair is seen before (spec: files
F10).

Rules only: what each thing would be called, and what is wrong with that. `sequences.names_plan` makes the
plan.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.kinds import split_extension
from kassettui.core.patterns import parse
from kassettui.core.text import safe
from kassettui.core.versions import token_in
from kassettui.files.members import Scheme, scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kassettui.files.listing import Entry

_FIELDS: Final = ("name", "stem", "ext", "frame", "n", "version", "date", "parent", "size")
_NUMBERS: Final = re.compile(r"(?:0?[1-9][0-9]?)?d?\Z")
_DATE: Final = re.compile(r"[%A-Za-z0-9_.\-]*\Z")
_SEPARATORS: Final = "._- "


@dataclass(frozen=True, slots=True)
class Pair:
    """What a thing is called and would be called; `problem` says why it cannot be, "" when it can.

    A sequence's names are patterns (`beauty.####.exr`); `scheme` says how its files would be called.
    """

    entry: Entry
    before: str
    after: str
    scheme: Scheme | None = None
    problem: str = ""

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after


def shown_name(entry: Entry) -> str:
    """What a person reads and edits: the name; a sequence's as a pattern with the hashes of its padding."""
    return entry.group.pattern if entry.group is not None else entry.name


def by_template(
    entries: Sequence[Entry],
    template: str,
    *,
    first: int = 1,
    fields: Callable[[Entry], Mapping[str, str]] | None = None,
) -> list[Pair]:
    """Names from a template such as `{stem}_v{version:03}_{n:03}`; the extension is kept unless `{ext}` is
    given.

    `{name} {stem} {ext} {frame:04} {n:03} {version:03} {date:%Y%m%d} {parent} {size}`, and what `fields`
    knows of an entry (its layout: `{shot}`). For a sequence `{frame}` is the place of the number; without it
    the number stays where it is. Raises InvalidInput.
    """
    pieces = _pieces(template)
    named = {name for _, name, _ in pieces}
    pairs = []
    for number, entry in enumerate(entries, first):
        known = dict(fields(entry)) if fields is not None else {}
        text = "".join(before + _value(name, spec, entry, number, known) for before, name, spec in pieces)
        pairs.append(_named(entry, text, with_extension=bool(named & {"ext", "name"})))
    return checked(pairs)


def by_replacing(
    entries: Sequence[Entry],
    find: str,
    instead: str,
    *,
    regex: bool = False,
    ignore_case: bool = False,
    extension: bool = False,
) -> list[Pair]:
    """`find` replaced everywhere in the names; the extension is left alone unless `extension`.
    Raises InvalidInput.
    """
    if not find:
        raise InvalidInput("There is nothing to find.")
    try:
        pattern = re.compile(find if regex else re.escape(find), re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise InvalidInput(f"{find!r} is no regular expression: {error}.") from error

    def replaced(text: str) -> str:
        try:
            return pattern.sub(instead if regex else instead.replace("\\", r"\\"), text)
        except (re.error, IndexError) as error:
            raise InvalidInput(f"{instead!r} cannot be put there: {error}.") from error

    pairs = []
    for entry in entries:
        if entry.group is not None:
            scheme = scheme_of(entry.group)
            stem, dot, ending = scheme.suffix.rpartition(".")
            suffix = replaced(scheme.suffix) if extension else f"{replaced(stem)}{dot}{ending}"
            pairs.append(_sequence(entry, replace(scheme, head=replaced(scheme.head), suffix=suffix)))
            continue
        stem, ending = split_extension(entry.name)
        whole = extension or not ending
        after = replaced(entry.name) if whole else f"{replaced(stem)}.{ending}"
        pairs.append(Pair(entry, entry.name, after))
    return checked(pairs)


def editor_text(entries: Sequence[Entry]) -> str:
    """One line for each name, for a person's editor; what would break a line is escaped."""
    return "".join(f"{escaped(shown_name(entry))}\n" for entry in entries)


def by_lines(entries: Sequence[Entry], text: str) -> list[Pair]:
    """The names that a person left in the editor, one a line, in order. Raises InvalidInput for
    another count.
    """
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(lines) != len(entries):
        raise InvalidInput(
            f"There were {len(entries)} names and now there are {len(lines)} lines.",
            remedy="Keep one line for each, in their order.",
        )
    pairs = []
    for entry, line in zip(entries, lines, strict=True):
        name = unescaped(line)
        if entry.group is None:
            pairs.append(Pair(entry, entry.name, name))
        elif name == entry.group.pattern:
            pairs.append(_sequence(entry, scheme_of(entry.group)))
        else:
            pairs.append(_from_pattern(entry, name))
    return checked(pairs)


def checked(pairs: Sequence[Pair]) -> list[Pair]:
    """All pairs with what is wrong with each; every conflict among them at once."""
    taken: dict[str, Pair] = {}
    found = []
    for pair in pairs:
        problem = pair.problem or _wrong(pair.after)
        path = os.path.join(pair.entry.directory, pair.scheme.identity_name if pair.scheme else pair.after)
        other = taken.setdefault(path, pair)
        if not problem and other is not pair:
            problem = f"{other.before} would be called so, too"
        found.append(replace(pair, problem=problem))
    return found


def wanted(pairs: Sequence[Pair]) -> list[tuple[Entry, Scheme | str]]:
    """What `sequences.names_plan` takes. Raises InvalidInput, with every problem, when there is any."""
    wrong = [f"{safe(pair.before)} → {safe(pair.after)}: {pair.problem}" for pair in pairs if pair.problem]
    if wrong:
        raise InvalidInput(f"{len(wrong)} names cannot be given: {'; '.join(wrong)}.")
    return [
        (pair.entry, pair.scheme if pair.scheme is not None else pair.after) for pair in pairs if pair.changed
    ]


def _wrong(name: str) -> str:
    if not name:
        return "a name cannot be empty"
    if name in {".", ".."}:
        return f"a name cannot be {name}"
    return "a name cannot hold / or NUL" if "/" in name or "\0" in name else ""


# -- templates ----------------------------------------------------------------------------------------------


def _pieces(template: str) -> list[tuple[str, str, str]]:
    """(text before, field, format) for each part of a template; the last may have no field."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InvalidInput(f"{template!r} is no template: {error}.") from error
    pieces = []
    for before, name, spec, conversion in parsed:
        if conversion or (name is not None and not re.fullmatch(r"[a-z][a-z0-9_]*", name)):
            raise InvalidInput(
                f"{{{safe(name or '')}}} is no field of a template.",
                remedy=f"There are: {', '.join(_FIELDS)}.",
            )
        pieces.append((before, name or "", spec or ""))
    return pieces


def _value(name: str, spec: str, entry: Entry, number: int, known: Mapping[str, str]) -> str:
    """What a field is for one entry. `{frame}` of a sequence stands as a mark until the name is whole."""
    if not name:
        return ""
    version = token_in(entry.name)
    if name == "n":
        return _number(number, spec)
    if name == "frame":
        return _frame(entry, spec)
    if name == "version":
        return "" if version is None else _number(version.number, spec or f"0{version.width}")
    if name == "date":
        return _date(entry, spec)
    if name == "size":
        return _number(entry.size, spec)
    texts = {
        "name": shown_name(entry),
        "stem": _stem(entry),
        "ext": _extension(entry),
        "parent": os.path.basename(entry.directory),
    }
    value = texts.get(name, known.get(name))
    if value is None:
        raise InvalidInput(
            f"There is no {{{safe(name)}}} for {safe(entry.name)}.",
            remedy=f"There are: {', '.join((*_FIELDS, *known))}.",
        )
    if spec:
        raise InvalidInput(f"{{{safe(name)}}} takes no format.")
    return value


def _number(number: int, spec: str) -> str:
    if not _NUMBERS.match(spec):
        raise InvalidInput(f"{spec!r} is no format for a number.", remedy="Use one such as 03.")
    return format(number, spec)


def _frame(entry: Entry, spec: str) -> str:
    if not _NUMBERS.match(spec):
        raise InvalidInput(f"{spec!r} is no format for a number.", remedy="Use one such as 04.")
    if entry.group is None:
        raise InvalidInput(f"{safe(entry.name)} has no frame number.")
    return "#" * int(spec.rstrip("d") or entry.group.padding)


def _date(entry: Entry, spec: str) -> str:
    if not _DATE.match(spec):
        raise InvalidInput(f"{spec!r} is no format for a date.", remedy="Use one such as %Y%m%d.")
    when = dt.datetime.fromtimestamp(entry.mtime_ns / 1e9).astimezone()
    return when.strftime(spec or "%Y%m%d")


def _stem(entry: Entry) -> str:
    """The name without number and extension, and without the separator that is left at its end."""
    if entry.group is None:
        return split_extension(entry.name)[0]
    return entry.group.head.rstrip(_SEPARATORS)


def _extension(entry: Entry) -> str:
    return entry.group.extension if entry.group is not None else split_extension(entry.name)[1]


def _named(entry: Entry, text: str, *, with_extension: bool) -> Pair:
    """The pair for a name that a template gave."""
    if entry.group is None:
        extension = _extension(entry)
        after = text if with_extension or not extension else f"{text}.{extension}"
        return Pair(entry, entry.name, after)
    if "#" in text:
        return _from_pattern(entry, text if with_extension else f"{text}.{entry.group.extension}")
    head = entry.group.head
    separator = head[len(head.rstrip(_SEPARATORS)) :]
    return _sequence(entry, Scheme(f"{text}{separator}", entry.group.suffix))


def _from_pattern(entry: Entry, name: str) -> Pair:
    """The pair for a sequence whose new name is a pattern."""
    assert entry.group is not None
    pattern = parse(name)
    if pattern is None or "/" in name:
        problem = "a sequence needs one place for the number, such as ####"
        return Pair(entry, entry.group.pattern, name, problem=problem)
    padding = None if pattern.padding == entry.group.padding else pattern.padding
    return _sequence(entry, Scheme(pattern.head, pattern.suffix, padding))


def _sequence(entry: Entry, scheme: Scheme) -> Pair:
    assert entry.group is not None
    padding = entry.group.padding if scheme.padding is None else scheme.padding
    return Pair(entry, entry.group.pattern, f"{scheme.head}{'#' * padding}{scheme.suffix}", scheme)


# -- lines --------------------------------------------------------------------------------------------------

_ESCAPED: Final = re.compile(r"\\(?:([\\nrt])|x([0-9a-f]{2}))")
_BREAKING: Final = re.compile("[\\\\\x00-\x1f\x7f\udc80-\udcff]")
_LETTERS: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escaped(name: str) -> str:
    """`name` on one line of text, without control characters or bytes that are no text."""

    def one(match: re.Match[str]) -> str:
        character = match.group()
        return _LETTERS.get(character) or f"\\x{ord(character) & 0xFF:02x}"

    return _BREAKING.sub(one, name)


def unescaped(line: str) -> str:
    """The inverse of `escaped`."""
    letters = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return letters[match[1]]
        code = int(match[2], 16)
        return chr(code) if code < 0x80 else chr(0xDC00 + code)

    return _ESCAPED.sub(one, line)
