"""A process that reads directories for a scan: both of its ends (spec: B1, performance "Techniques").

Looking at a file costs Python more than it costs the kernel, so a fast disk is read by several processes. One
inherits the open root, takes visits from its stdin and answers with listings on its stdout; it ends when its
stdin does. Names go as bytes, so that any name comes back as it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
from array import array
from typing import IO, TYPE_CHECKING, Final

import msgspec

import kassettui
from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.listing import Listing, Visit
from kassettui.ingest.reading import Reader, ReaderOptions
from kassettui.ingest.source import ItemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LENGTH: Final = struct.Struct("=I")


class _Asked(msgspec.Struct, array_like=True):
    """A visit. `rules` are (directory, patterns), the nearest first."""

    path: bytes
    linked: bool
    links: int
    above: tuple[tuple[int, int], ...]
    rules: list[tuple[bytes, bytes]]


class _Answered(msgspec.Struct, array_like=True):
    """A listing. Names of one kind are joined by "/", which is in none of them; patterns by newlines."""

    device: int
    inode: int
    names: bytes
    sizes: bytes
    mtimes: bytes
    evidence: bytes
    directories: bytes
    linked: bytes
    patterns: bytes
    errors: list[tuple[bytes, str, str, bool]]
    warnings: list[bytes]


_ASKED: Final = msgspec.msgpack.Decoder(list[_Asked])
_ANSWERED: Final = msgspec.msgpack.Decoder(list[_Answered])


class ReaderProcess:
    """The end that asks. Belongs to one thread, but for `end`."""

    def __init__(self, reader: Reader) -> None:
        """Start it on the root that `reader` has open. Raises OSError when no process can be had."""
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
        """What stands in these directories. Raises OSError, EOFError or MsgspecError when it failed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        _send(self._child.stdin, msgspec.msgpack.encode([_asked(visit) for visit in visits]))
        answers = _ANSWERED.decode(_receive(self._child.stdout))
        return [_listing(visit, answer) for visit, answer in zip(visits, answers, strict=True)]

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
            visits = [_visit(asked) for asked in _ASKED.decode(_receive(asks))]
        except EOFError:
            return
        listings = [_answered(reader.list_directory(visit)) for visit in visits]
        _send(answers, msgspec.msgpack.encode(listings))


# -- what goes through the pipes ----------------------------------------------------------------------------


def _asked(visit: Visit) -> _Asked:
    rules: IgnoreRules | None = visit.rules
    chain = []
    while rules is not None and not rules.plain:
        chain.append((os.fsencode(rules.directory), os.fsencode("\n".join(rules.patterns))))
        rules = rules.above
    return _Asked(os.fsencode(visit.path), visit.linked, visit.links, visit.above, chain)


def _visit(asked: _Asked) -> Visit:
    rules = IgnoreRules()
    for directory, patterns in reversed(asked.rules):
        rules = rules.within(os.fsdecode(directory), os.fsdecode(patterns).split("\n"))
    return Visit(os.fsdecode(asked.path), rules, asked.linked, asked.links, asked.above)


def _answered(listing: Listing) -> _Answered:
    return _Answered(
        device=listing.device,
        inode=listing.inode,
        names=_joined(listing.names),
        sizes=listing.sizes.tobytes(),
        mtimes=listing.mtimes.tobytes(),
        evidence=_joined(listing.evidence),
        directories=_joined(listing.directories),
        linked=_joined(listing.linked),
        patterns=os.fsencode("\n".join(listing.patterns)),
        errors=[(os.fsencode(each.path), each.code, each.message, each.directory) for each in listing.errors],
        warnings=[os.fsencode(each) for each in listing.warnings],
    )


def _listing(visit: Visit, answer: _Answered) -> Listing:
    errors = (
        ItemError(os.fsdecode(path), code, message, directory)
        for path, code, message, directory in answer.errors
    )
    return Listing(
        device=answer.device,
        inode=answer.inode,
        names=_parted(answer.names),
        sizes=array("q", answer.sizes),
        mtimes=array("q", answer.mtimes),
        evidence=_parted(answer.evidence),
        directories=_parted(answer.directories),
        linked=_parted(answer.linked),
        patterns=tuple(os.fsdecode(answer.patterns).split("\n")) if answer.patterns else (),
        errors=[*visit.errors, *errors],
        warnings=[os.fsdecode(each) for each in answer.warnings],
    )


def _joined(names: Iterable[str]) -> bytes:
    return os.fsencode("/".join(names))


def _parted(names: bytes) -> list[str]:
    return os.fsdecode(names).split("/") if names else []


def _send(pipe: IO[bytes], body: bytes) -> None:
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """The next message. Raises EOFError when there is none, or only a part."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


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
