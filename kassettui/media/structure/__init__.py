"""Is a file whole? By its structure alone, without decoding, in this process (H1).

Pure Python over bounded reads: no decoder is imported, nothing is mapped, nothing but plain files is opened.
What these checks cannot tell (a compression nobody here knows, a format without an end mark) comes back with
`state` None and waits for level 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kassettui.core.health import FrameState
from kassettui.core.kinds import split_extension
from kassettui.media import formats
from kassettui.media.facts import Verdict
from kassettui.media.structure import dpx, exr, jpeg, png, tiff
from kassettui.media.structure.reading import Finding, Nonsense, NotRegular, Short, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHECKS: Final[Mapping[formats.Structure, Callable[[Source], Finding]]] = {
    formats.Structure.EXR: exr.examine,
    formats.Structure.PNG: png.examine,
    formats.Structure.JPEG: jpeg.examine,
    formats.Structure.TIFF: tiff.examine,
    formats.Structure.DPX: dpx.examine,
    formats.Structure.CINEON: dpx.examine_cineon,
}

_EMPTY: Final = Verdict(FrameState.ZERO, reason="0 bytes")


def check_structure(path: str) -> Verdict:
    """Level-1 verdict of one file; never raises for what the file is or says.

    A file that is gone is `MISSING`, one that cannot be opened or contradicts itself `UNREADABLE`.
    """
    try:
        with Source(path) as source:
            return _judge(source, path)
    except NotRegular:
        return Verdict(FrameState.UNREADABLE, reason="not a regular file")
    except FileNotFoundError:
        return Verdict(FrameState.MISSING, reason="not there")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return Verdict(FrameState.UNREADABLE, reason=_why(error))


def _why(error: OSError | ValueError) -> str:
    return (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)


def _judge(source: Source, path: str) -> Verdict:
    if source.size == 0:
        return _EMPTY
    extension = split_extension(path.rpartition("/")[2])[1]
    row = formats.identify(source.head[: formats.HEAD_BYTES], extension)
    if row is None:
        return _stranger(source, extension)
    check = _CHECKS.get(row.structure) if row.structure is not None else None
    if check is None:
        return Verdict(None, level=0, reason=f"{row.label} has no structural check")
    try:
        finding = check(source)
    except Short as found:
        return Verdict(FrameState.TRUNCATED, reason=str(found))
    except Nonsense as found:
        return Verdict(FrameState.UNREADABLE, reason=str(found))
    state = None if finding.undecided else FrameState.OK
    return Verdict(state, reason=finding.undecided, make=finding.make)


def _stranger(source: Source, extension: str) -> Verdict:
    """A file whose first bytes are no format's that we know."""
    named = formats.by_extension(extension)
    if named is None:
        return Verdict(None, level=0, reason="unknown format")
    if any(mark.startswith(source.head) for mark in named.magic):
        return Verdict(FrameState.TRUNCATED, reason=f"only {source.size} bytes")
    if not any(source.head):
        return Verdict(FrameState.BAD_MAGIC, reason="begins with zeros")
    return Verdict(FrameState.BAD_MAGIC, reason=f"does not begin like {named.label}")
