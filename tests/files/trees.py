"""Pictures of directory trees, to compare before and after, and small trees to work on."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kassettui.files.listing import select
from kassettui.files.operations import FileOperations, failure_of
from kassettui.files.plan import Answers, Operation, Options, Plan, Policy
from kassettui.files.planning import transfer_plan
from kassettui.jobs.control import Control

if TYPE_CHECKING:
    from kassettui.files.outcomes import Result


DEFAULTS = Options()


class Node(NamedTuple):
    """What one path holds: kind, content (a link's target), mode, mtime_ns (0 for directories)."""

    kind: str
    content: bytes
    mode: int
    mtime_ns: int


def picture(top: Path | str) -> dict[str, Node]:
    """Every path below `top` with all that a copy keeps."""
    found: dict[str, Node] = {}
    for directory, names, filenames in os.walk(top):
        for name in [*names, *filenames]:
            path = os.path.join(directory, name)
            facts = os.lstat(path)
            relative = os.path.relpath(path, top)
            mode = stat.S_IMODE(facts.st_mode)
            if stat.S_ISLNK(facts.st_mode):
                found[relative] = Node("link", os.fsencode(os.readlink(path)), 0, facts.st_mtime_ns)
            elif stat.S_ISDIR(facts.st_mode):
                found[relative] = Node("directory", b"", mode, 0)
            elif stat.S_ISFIFO(facts.st_mode):
                found[relative] = Node("fifo", b"", mode, facts.st_mtime_ns)
            else:
                with open(path, "rb") as file:
                    found[relative] = Node("file", file.read(), mode, facts.st_mtime_ns)
    return found


def write(
    path: Path | str, content: bytes | str = b"", *, mtime: int | None = None, mode: int = 0o640
) -> Path:
    """A file with its parents; `mtime` in seconds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    os.utime(path, ns=(mtime * 10**9,) * 2 if mtime is not None else (1_700_000_000_123_456_789,) * 2)
    return path


def frames(
    directory: Path, head: str = "beauty.", first: int = 1001, last: int = 1010, *, size: int = 50
) -> list[Path]:
    """The frames of a sequence, each with bytes of its own."""
    return [
        write(directory / f"{head}{frame:04d}.exr", f"{head}{frame}".encode().ljust(size, b"."), mtime=frame)
        for frame in range(first, last + 1)
    ]


def plan(
    operation: Operation,
    sources: list[Path | str] | Path | str,
    destination: Path | str,
    policy: Policy = Policy.FAIL,
    options: Options = DEFAULTS,
    **each: Policy,
) -> Plan:
    """A plan to copy or move."""
    listed = sources if isinstance(sources, list) else [sources]
    return transfer_plan(
        operation,
        select([os.fspath(source) for source in listed]),
        os.fspath(destination),
        title="a test",
        answers=Answers(policy, each),
        options=options,
    )


def copy(
    files: FileOperations, sources: list[Path | str] | Path | str, destination: Path | str, **how: object
) -> Result:
    """Copy, and expect it to be done."""
    return done(files, plan(Operation.COPY, sources, destination, **how))  # type: ignore[arg-type]


def move(
    files: FileOperations, sources: list[Path | str] | Path | str, destination: Path | str, **how: object
) -> Result:
    """Move, and expect it to be done."""
    return done(files, plan(Operation.MOVE, sources, destination, **how))  # type: ignore[arg-type]


def done(files: FileOperations, plan: Plan) -> Result:
    """Run a plan that must succeed."""
    result = files.run(plan, Control())
    failure = failure_of(result)
    if failure is not None:
        raise failure
    return result


def undo(files: FileOperations) -> Result:
    """Undo the last thing."""
    found = files.undo_plan(files.undo_stack()[0])
    assert found is not None
    return done(files, found)


def redo(files: FileOperations) -> Result:
    """Redo what was undone last."""
    found = files.undo_plan(files.redo_stack()[0])
    assert found is not None
    return done(files, found)
