"""A process that reads directories for a scan: both of its ends (spec: B1, performance "Techniques").

Looking at a file costs Python more than it costs the kernel, so a fast disk is read by several processes. One
inherits the open root, takes visits from its stdin and answers with listings on its stdout; it ends when its
stdin does. A message is a number of byte strings; names go as the bytes that they are. The process imports
little: its memory counts in a scan's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
from array import array
from typing import IO, TYPE_CHECKING, Final

import kassettui
from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.listing import Listing, Visit
from kassettui.ingest.reading import Reader, ReaderOptions
from kassettui.ingest.source import ItemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_COUNT: Final = struct.Struct("=I")
_LINKS: Final = struct.Struct("=?I")
_PLACE: Final = struct.Struct("=QQ")
_VISIT_FIELDS: Final = 4
_LISTING_FIELDS: Final = 10


class ReaderProcess:
    """The end that asks. Belongs to one thread, but for `end`."""

    def __init__(self, reader: Reader) -> None:
        """Start it on the root that `reader` has open. Raises OSError when no process can be had."""
        import subprocess

        home = os.path.dirname(os.path.dirname(os.path.abspath(kassettui.__file__)))
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        how = ",".join(name for name, value in reader.options._asdict().items() if value)
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "kassettui.ingest.reader_process", str(reader.root), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(reader.root,),
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )

    def list_directories(self, visits: Sequence[Visit]) -> list[Listing]:
        """What stands in these directories. Raises OSError or EOFError when the process failed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        _send(self._child.stdin, [field for visit in visits for field in _packed_visit(visit)])
        answers = _parts(_receive(self._child.stdout), _LISTING_FIELDS)
        return [_listing(visit, fields) for visit, fields in zip(visits, answers, strict=True)]

    def end(self) -> None:
        """Be rid of it, whatever it does; any thread may."""
        with contextlib.suppress(OSError):
            self._child.kill()

    def reap(self) -> None:
        """Wait until it has ended, and let the pipes go; after `end`."""
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._child.wait()


def serve(reader: Reader, asks: IO[bytes], answers: IO[bytes]) -> None:
    """The end that reads: answer until nothing is asked any more."""
    while True:
        try:
            visits = [_visit(fields) for fields in _parts(_receive(asks), _VISIT_FIELDS)]
        except EOFError:
            return
        _send(answers, [field for visit in visits for field in _packed_listing(reader.list_directory(visit))])


# -- what goes through the pipes ----------------------------------------------------------------------------


def _packed_visit(visit: Visit) -> Iterator[bytes]:
    yield os.fsencode(visit.path)
    yield _LINKS.pack(visit.linked, visit.links)
    yield b"".join(_PLACE.pack(*place) for place in visit.above)
    rules: IgnoreRules | None = visit.rules
    texts: list[str] = []
    while rules is not None and not rules.plain:
        texts += (rules.directory, str(len(rules.patterns)), *rules.patterns)
        rules = rules.above
    yield _joined(texts, "\0")


def _visit(fields: Sequence[bytes]) -> Visit:
    path, links, above, texts = fields
    linked, count = _LINKS.unpack(links)
    places = tuple((device, inode) for device, inode in _PLACE.iter_unpack(above))
    return Visit(os.fsdecode(path), _rules(_parted(texts, "\0")), linked, count, places)


def _rules(texts: list[str]) -> IgnoreRules:
    """The rules from their texts, which begin with the nearest directory's."""
    chain = []
    while texts:
        directory, count, *texts = texts
        chain.append((directory, texts[: int(count)]))
        texts = texts[int(count) :]
    rules = IgnoreRules()
    for directory, patterns in reversed(chain):
        rules = rules.within(directory, patterns)
    return rules


def _packed_listing(listing: Listing) -> Iterator[bytes]:
    yield _PLACE.pack(listing.device, listing.inode)
    yield _joined(listing.names)
    yield listing.sizes.tobytes()
    yield listing.mtimes.tobytes()
    yield _joined(listing.evidence)
    yield _joined(listing.directories)
    yield _joined(listing.linked)
    yield _joined(listing.patterns, "\0")
    errors = ((each.path, each.code, each.message, "d" if each.directory else "f") for each in listing.errors)
    yield _joined([text for error in errors for text in error], "\0")
    yield _joined(listing.warnings, "\0")


def _listing(visit: Visit, fields: Sequence[bytes]) -> Listing:
    place, names, sizes, mtimes, evidence, directories, linked, patterns, texts, warnings = fields
    device, inode = _PLACE.unpack(place)
    told = iter(_parted(texts, "\0"))
    errors = (
        ItemError(path, code, message, kind == "d")
        for path, code, message, kind in zip(told, told, told, told, strict=True)
    )
    return Listing(
        device,
        inode,
        names=_parted(names),
        sizes=array("q", sizes),
        mtimes=array("q", mtimes),
        evidence=_parted(evidence),
        directories=_parted(directories),
        linked=_parted(linked),
        patterns=tuple(_parted(patterns, "\0")),
        errors=[*visit.errors, *errors],
        warnings=_parted(warnings, "\0"),
    )


def _joined(texts: Iterable[str], separator: str = "/") -> bytes:
    return os.fsencode(separator.join(texts))


def _parted(field: bytes, separator: str = "/") -> list[str]:
    """The inverse of `_joined`, for texts that do not hold the separator: no name holds a slash or NUL."""
    return os.fsdecode(field).split(separator) if field else []


def _parts(fields: list[bytes], size: int) -> Iterator[list[bytes]]:
    return (fields[begin : begin + size] for begin in range(0, len(fields), size))


def _send(pipe: IO[bytes], fields: Sequence[bytes]) -> None:
    pipe.write(struct.pack(f"={len(fields) + 1}I", len(fields), *map(len, fields)))
    pipe.writelines(fields)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> list[bytes]:
    """The next message. Raises EOFError when there is none, or only a part."""
    (count,) = _COUNT.unpack(_exactly(pipe, _COUNT.size))
    lengths = struct.unpack(f"={count}I", _exactly(pipe, count * _COUNT.size))
    return [_exactly(pipe, length) for length in lengths]


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    read = pipe.read(count)
    if len(read) < count:
        raise EOFError
    return read


def main(arguments: Sequence[str]) -> None:
    """Serve the scan that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = ReaderOptions(**dict.fromkeys(filter(None, arguments[1].split(",")), True))
    with contextlib.suppress(BrokenPipeError):
        serve(Reader(int(arguments[0]), options), sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main(sys.argv[1:])
