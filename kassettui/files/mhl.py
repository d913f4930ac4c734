"""ASC MHL v2 on paper: hash lists and chain files as values, read and written (spec: files F18).

https://github.com/ascmitc/mhl-specification. What a directory's history means is in `generations`; here is
XML. Manifests come from anywhere: no document type declarations, no entities, a bounded size.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from kassettui import __version__
from kassettui.core.errors import DamageFound, InvalidInput
from kassettui.core.text import is_utf8, safe
from kassettui.files.checksums import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FOLDER: Final = "ascmhl"
CHAIN: Final = "ascmhl_chain.xml"
ENDING: Final = ".mhl"
TOOL: Final = "kassettui"
IGNORED: Final = (".DS_Store", "ascmhl", "ascmhl/")
"""What every history leaves out."""

_LARGEST: Final = 4 << 30
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Sum:
    """One checksum of a file (or of a directory's content), with `action` original, verified, failed or new.

    `structure` is a directory's second checksum, "" for a file.
    """

    format: str
    text: str
    action: str = ""
    date: str = ""
    structure: str = ""


@dataclass(frozen=True, slots=True)
class Hash:
    """One file or directory of a hash list; the path is relative to the history's root, "." is the
    root itself.
    """

    path: str
    sums: tuple[Sum, ...]
    size: int | None = None
    date: str = ""
    directory: bool = False
    previous: str = ""

    def sum(self, name: str) -> Sum | None:
        """The checksum in one format."""
        return next((each for each in self.sums if each.format == name), None)


@dataclass(frozen=True, slots=True)
class Reference:
    """A hash list of a history below this one, by its path and C4 id."""

    path: str
    c4: str


@dataclass(frozen=True, slots=True)
class HashList:
    """One generation. Times are ISO 8601 with the offset."""

    hashes: tuple[Hash, ...] = ()
    root: Hash | None = None
    ignored: tuple[str, ...] = IGNORED
    references: tuple[Reference, ...] = ()
    created: str = ""
    host: str = ""
    process: str = "in-place"
    tool: str = TOOL
    tool_version: str = __version__


@dataclass(frozen=True, slots=True)
class Link:
    """One generation in a chain file: its number, file name and C4 id."""

    number: int
    name: str
    c4: str


# -- writing ------------------------------------------------------------------------------------------------


def written(listed: HashList) -> bytes:
    """A hash list as XML. Raises InvalidInput for a path that XML cannot hold."""
    return "".join(_document(listed)).encode()


def _document(listed: HashList) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0">\n'
    yield (
        f"  <creatorinfo>\n    <creationdate>{listed.created}</creationdate>\n"
        f"    <hostname>{_text(listed.host)}</hostname>\n"
        f'    <tool version="{_text(listed.tool_version)}">{_text(listed.tool)}</tool>\n  </creatorinfo>\n'
    )
    yield f"  <processinfo>\n    <process>{listed.process}</process>\n"
    if listed.root is not None:
        yield "    <roothash>\n"
        yield from _directory_sums(listed.root, "      ")
        yield "    </roothash>\n"
    yield "    <ignore>\n"
    for pattern in listed.ignored:
        yield f"      <pattern>{_text(pattern)}</pattern>\n"
    yield "    </ignore>\n  </processinfo>\n  <hashes>\n"
    for each in listed.hashes:
        yield from _hash(each)
    yield "  </hashes>\n"
    if listed.references:
        yield "  <references>\n"
        for reference in listed.references:
            yield f"    <hashlistreference>\n      <path>{_text(reference.path)}</path>\n"
            yield f"      <c4>{reference.c4}</c4>\n    </hashlistreference>\n"
        yield "  </references>\n"
    yield "</hashlist>\n"


def _hash(each: Hash) -> Iterator[str]:
    tag = "directoryhash" if each.directory else "hash"
    size = f' size="{each.size}"' if each.size else ""
    date = f' lastmodificationdate="{each.date}"' if each.date else ""
    yield f"    <{tag}>\n      <path{size}{date}>{_text(each.path)}</path>\n"
    if each.directory:
        yield from _directory_sums(each, "      ")
    else:
        for one in sorted(each.sums, key=lambda one: one.format):
            yield f"      {_sum(one, one.text)}\n"
    if each.previous:
        yield f"      <previousPath>{_text(each.previous)}</previousPath>\n"
    yield f"    </{tag}>\n"


def _directory_sums(each: Hash, indent: str) -> Iterator[str]:
    for tag in ("content", "structure"):
        yield f"{indent}<{tag}>\n"
        for one in each.sums:
            yield f"{indent}  {_sum(one, one.text if tag == 'content' else one.structure)}\n"
        yield f"{indent}</{tag}>\n"


def _sum(one: Sum, text: str) -> str:
    action = f' action="{one.action}"' if one.action else ""
    date = f' hashdate="{one.date}"' if one.date else ""
    return f"<{one.format}{action}{date}>{text}</{one.format}>"


def _text(text: str) -> str:
    """`text` inside an element or attribute. Raises InvalidInput for what XML 1.0 has no way to say."""
    if not is_utf8(text) or any(character < " " and character not in "\t\n\r" for character in text):
        raise InvalidInput(
            f"ASC MHL cannot hold the name {safe(text)}: it is not text.",
            remedy="A list of sums can: kassettui manifest create without --mhl.",
        )
    for character, escaped in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("\r", "&#13;"),
    ):
        text = text.replace(character, escaped)
    return text


def written_chain(links: Iterable[Link]) -> bytes:
    """A chain file as XML."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<ascmhldirectory xmlns="urn:ASC:MHL:DIRECTORY:v2.0">\n',
        *(
            f'  <hashlist sequencenr="{link.number}">\n    <path>{_text(link.name)}</path>\n'
            f"    <c4>{link.c4}</c4>\n  </hashlist>\n"
            for link in links
        ),
        "</ascmhldirectory>\n",
    ]
    return "".join(lines).encode()


# -- reading ------------------------------------------------------------------------------------------------


def read(path: str) -> HashList:
    """The hash list in a file. Raises DamageFound for what is none, OSError."""
    reader = _HashListReader()
    _parse(path, reader)
    return reader.result()


def read_chain(path: str) -> list[Link]:
    """The chain in a file. Raises DamageFound for what is none, OSError."""
    reader = _ChainReader()
    _parse(path, reader)
    return reader.links


class _Reader:
    """Gets elements as they come; keeps the texts of open ones."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, Mapping[str, str]]] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        tag = name.rpartition(":")[2]
        self.stack.append((tag, attributes))
        self._text.clear()
        self.begun(tag)

    def data(self, text: str) -> None:
        """Text inside the innermost element."""
        self._text.append(text)

    def end(self, _name: str) -> None:
        """An element ends."""
        tag, attributes = self.stack.pop()
        self.ended(tag, attributes, "".join(self._text))
        self._text.clear()

    def inside(self, tag: str) -> bool:
        """Whether an element of that name is open."""
        return any(open_tag == tag for open_tag, _ in self.stack)

    def begun(self, tag: str) -> None:
        """What a kind of document makes of a beginning."""

    def ended(self, tag: str, attributes: Mapping[str, str], text: str) -> None:
        """What a kind of document makes of an end."""


@dataclass(slots=True)
class _Open:
    """A hash while it is read."""

    path: str = "."
    size: int | None = None
    date: str = ""
    previous: str = ""
    sums: dict[str, Sum] = field(default_factory=dict)

    def take(self, tag: str, attributes: Mapping[str, str], text: str, *, structure: bool) -> None:
        """One checksum; a directory's content comes before its structure."""
        action, date = attributes.get("action", ""), attributes.get("hashdate", "")
        known = self.sums.get(tag)
        if structure:
            self.sums[tag] = Sum(tag, known.text if known else "", action, date, text)
        else:
            self.sums[tag] = Sum(tag, text, action, date, known.structure if known else "")

    def closed(self, *, directory: bool) -> Hash:
        """The value."""
        return Hash(self.path, tuple(self.sums.values()), self.size, self.date, directory, self.previous)


class _HashListReader(_Reader):
    """Makes a HashList."""

    def __init__(self) -> None:
        super().__init__()
        self._hashes: list[Hash] = []
        self._references: list[Reference] = []
        self._ignored: list[str] = []
        self._root: Hash | None = None
        self._plain: dict[str, str] = {}
        self._open: _Open | None = None
        self._reference_path = ""
        self._tool_version = ""

    def begun(self, tag: str) -> None:
        if tag in {"hash", "directoryhash", "roothash"}:
            self._open = _Open()

    def ended(self, tag: str, attributes: Mapping[str, str], text: str) -> None:
        if self._open is not None:
            self._in_hash(self._open, tag, attributes, text)
        elif self.inside("hashlistreference"):
            if tag == "path":
                self._reference_path = text
            elif tag == "c4":
                self._references.append(Reference(_within(self._reference_path), text))
        elif tag == "pattern":
            self._ignored.append(text)
        elif tag == "tool":
            self._plain[tag] = text
            self._tool_version = attributes.get("version", "")
        elif tag in {"creationdate", "hostname", "process"}:
            self._plain[tag] = text

    def _in_hash(self, open_: _Open, tag: str, attributes: Mapping[str, str], text: str) -> None:
        if tag == "path":
            open_.path = _within(text)
            size = attributes.get("size", "")
            open_.size = int(size) if size.isascii() and size.isdigit() else None
            open_.date = attributes.get("lastmodificationdate", "")
        elif tag == "previousPath":
            open_.previous = _within(text)
        elif tag in FORMATS:
            open_.take(tag, attributes, text, structure=self.inside("structure"))
        elif tag in {"hash", "directoryhash"}:
            self._hashes.append(open_.closed(directory=tag == "directoryhash"))
            self._open = None
        elif tag == "roothash":
            self._root = open_.closed(directory=True)
            self._open = None

    def result(self) -> HashList:
        return HashList(
            tuple(self._hashes),
            self._root,
            tuple(self._ignored) or IGNORED,
            tuple(self._references),
            self._plain.get("creationdate", ""),
            self._plain.get("hostname", ""),
            self._plain.get("process", ""),
            self._plain.get("tool", ""),
            self._tool_version,
        )


class _ChainReader(_Reader):
    """Makes the links of a chain."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._name = self._c4 = ""

    def ended(self, tag: str, attributes: Mapping[str, str], text: str) -> None:
        if tag == "path":
            self._name = text
        elif tag == "c4":
            self._c4 = text
        elif tag == "hashlist":
            number = attributes.get("sequencenr", "")
            if "/" in self._name or not (number.isascii() and number.isdigit()):
                raise ValueError("a generation has no number, or its file lies elsewhere")
            self.links.append(Link(int(number), self._name, self._c4))
            self._name = self._c4 = ""


def _within(path: str) -> str:
    """A path of a manifest, that must not lead out of its root."""
    normal = os.path.normpath(path)
    if normal.startswith(("/", "../")) or normal == ".." or "\0" in normal:
        raise ValueError(f"the path {path!r} leads out of the directory")
    return normal


def _parse(path: str, reader: _Reader) -> None:
    """Feed a file to `reader`. Raises DamageFound."""
    parser = expat.ParserCreate(namespace_separator=":")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse
    size = 0
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            while block := file.read(_BLOCK):
                size += len(block)
                _bound(size)
                parser.Parse(block)
            parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise DamageFound(f"{safe(path)} is no sound ASC MHL file: {error}.") from error


def _bound(size: int) -> None:
    if size > _LARGEST:
        raise ValueError("it is too large")


def _refuse(*_: object) -> None:
    raise ValueError("it declares a document type")
