"""Which channels make a picture: the layer rule (P6). Names in, indices out; no pixels here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from kassettui.media.decode.picture import Undecodable
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLOURS: Final = {"R": "R", "G": "G", "B": "B", "RED": "R", "GREEN": "G", "BLUE": "B"}
_ALPHA: Final = frozenset({"A", "ALPHA"})
_DEPTH: Final = frozenset({"Z", "ZBACK", "DEPTH", "DEEP"})
_MAIN_LAYERS: Final = ("beauty", "rgba")
_VECTORS: Final = ("X", "Y", "Z")


class Meaning(Enum):
    """What a layer's values are."""

    COLOUR = auto()
    CHROMA = auto()
    """Luminance and two colour differences: Y, RY, BY."""
    GREY = auto()
    MASK = auto()
    """0 to 1, shown as it is."""
    VECTOR = auto()
    DATA = auto()
    """Depth, positions, motion: stretched from least to greatest."""


@dataclass(frozen=True, slots=True)
class Group:
    """One layer: its channels' indices in part `part` (1 or 3 of them, in order), and its alpha's, if any."""

    name: str
    part: int
    channels: tuple[int, ...]
    meaning: Meaning
    alpha: int | None = None


@dataclass(frozen=True, slots=True)
class PartChannels:
    """The channel names of one part, in the file's order, and the part's own name."""

    name: str
    channels: tuple[str, ...]


def groups(parts: Sequence[PartChannels]) -> list[Group]:
    """All layers in the order to walk them, the main one (P6) first, under the name ""."""
    if len(parts) == 1:  # a lone part's name says nothing
        parts = [PartChannels("", parts[0].channels)]
    found = [group for number, part in enumerate(parts) for group in _of_part(number, part)]
    main = _main(parts, found)
    rest = [
        group
        for group in found
        if (group.part, group.channels) != (main.part, main.channels) and group.name != main.name
    ]
    return [main, *rest]


def choose(parts: Sequence[PartChannels], name: str) -> Group:
    """The layer or single channel called `name` ("" or "rgba": the main one). Raises Undecodable."""
    known = groups(parts)
    wanted = name.casefold()
    if not wanted or wanted == "rgba":
        return known[0]
    for group in known:
        if group.name.casefold() == wanted:
            return group
    for number, part in enumerate(parts):
        for index, channel in enumerate(part.channels):
            if wanted in {channel.casefold(), f"{part.name}.{channel}".casefold()}:
                return Group(channel, number, (index,), _single(channel))
    names = ", ".join(group.name for group in known if group.name)
    raise Undecodable(FailureCode.NO_LAYER, f"no layer {name}; it has {names or 'one layer only'}")


def _of_part(number: int, part: PartChannels) -> Iterable[Group]:
    """The part's channels by their prefix: the part of the name before the last dot."""
    prefixes: dict[str, dict[str, int]] = {}
    for index, channel in enumerate(part.channels):
        prefix, _, last = channel.rpartition(".")
        prefixes.setdefault(prefix, {}).setdefault(last, index)
    for prefix, members in prefixes.items():
        name = part.name if not prefix or prefix == part.name else f"{part.name}.{prefix}".strip(".")
        yield from _of_prefix(name, number, members)


def _of_prefix(name: str, number: int, members: dict[str, int]) -> Iterable[Group]:
    by_word = {_COLOURS.get(last.upper(), last.upper()): index for last, index in members.items()}
    alpha = next((index for word, index in by_word.items() if word in _ALPHA), None)
    used: set[int] = set() if alpha is None else {alpha}

    def take(words: tuple[str, ...], meaning: Meaning, *, with_alpha: bool = False) -> Group:
        indices = tuple(by_word[word] for word in words)
        used.update(indices)
        return Group(name, number, indices, meaning, alpha if with_alpha else None)

    if {"R", "G", "B"} <= by_word.keys():
        yield take(("R", "G", "B"), Meaning.COLOUR, with_alpha=True)
    elif {"Y", "RY", "BY"} <= by_word.keys():
        yield take(("Y", "RY", "BY"), Meaning.CHROMA, with_alpha=True)
    elif set(_VECTORS) <= by_word.keys():
        position = name.rpartition(".")[2].casefold() in {"p", "position", "pworld", "pref", "pos"}
        yield take(_VECTORS, Meaning.DATA if position else Meaning.VECTOR)
    elif len(by_word) == (1 if alpha is None else 2) and (words := by_word.keys() - _ALPHA):
        word = next(iter(words))
        meaning = _single(f"{name}.{word}")
        yield Group(name, number, (by_word[word],), meaning, alpha)
        used.add(by_word[word])
    elif len(by_word) == 1 and alpha is not None:
        yield Group(f"{name}.{next(iter(members))}".strip("."), number, (alpha,), Meaning.MASK)
    for last, index in members.items():
        if index not in used:
            full = f"{name}.{last}".strip(".")
            yield Group(full, number, (index,), _single(full))


def _single(channel: str) -> Meaning:
    word = channel.rpartition(".")[2].upper()
    if word in _ALPHA:
        return Meaning.MASK
    if word in _DEPTH or "depth" in channel.casefold():
        return Meaning.DATA
    return Meaning.GREY if word in {*_COLOURS, "Y", "I", "L", "MASK"} else Meaning.DATA


def _main(parts: Sequence[PartChannels], found: list[Group]) -> Group:
    """RGB(A) or Y(RY BY) of the first part, else beauty or rgba, else the first channels there are (P6)."""
    for group in found:
        plain = group.name in {"", parts[group.part].name}
        if group.part == 0 and plain and group.meaning in {Meaning.COLOUR, Meaning.CHROMA}:
            return _renamed(group)
    for group in found:
        if group.meaning is Meaning.COLOUR and group.name.casefold().rpartition(".")[2] in _MAIN_LAYERS:
            return _renamed(group)
    first = parts[0].channels
    if not first:
        raise Undecodable(FailureCode.DAMAGED, "it has no channels")
    alpha = next((index for index, name in enumerate(first) if name.upper() in _ALPHA), None)
    colours = [index for index in range(len(first)) if index != alpha]
    if len(colours) >= 3 and not _luminance(first):
        meaning = next((g.meaning for g in found if g.channels == tuple(colours[:3])), Meaning.COLOUR)
        return Group("", 0, tuple(colours[:3]), meaning, alpha)
    only = colours[:1] or [0]
    return Group("", 0, tuple(only), _single(first[only[0]]) if colours else Meaning.MASK, alpha)


def _luminance(channels: tuple[str, ...]) -> bool:
    """Whether the first channel is a picture by itself."""
    return channels[0].upper() in {"Y", "I", "L"}


def _renamed(group: Group) -> Group:
    return Group("", group.part, group.channels, group.meaning, group.alpha)
