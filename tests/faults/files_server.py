"""A process that forks children to run file operations, which die where they are told to.

It reads one request a line (JSON) on stdin and answers each with a line. A child's death is a real SIGKILL,
sent by itself at the entry of its N-th call that changes something, or by its parent at a moment. Forking
from a process that has everything imported makes a run cost milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from kassettui.core.errors import KassettuiError, Refused
from kassettui.files import syscalls
from kassettui.files.disposing import trash_plan
from kassettui.files.listing import select
from kassettui.files.operations import FileOperations, failure_of
from kassettui.files.plan import Answers, Operation, Options, Plan, Policy, Verify
from kassettui.files.planning import transfer_plan
from kassettui.files.renaming import by_lines, wanted
from kassettui.files.sequences import names_plan, renumber_plan
from kassettui.jobs.control import Control
from kassettui.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.outcomes import Result

CHANGING = (
    "rename", "link", "symlink", "unlink", "rmdir", "mkdir", "mkfifo", "write", "pwrite", "ftruncate",
    "fchmod", "chmod", "utime", "copy_file_range",
)  # fmt: skip


class Countdown:
    """Kills this process at the entry of the N-th changing call; 0 never."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0
        self._lock = threading.Lock()

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                self.seen += 1
                if self.seen == self.at:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    def install(self) -> None:
        for name in CHANGING:
            setattr(os, name, self.wrap(getattr(os, name)))
        syscalls.rename_exclusive = self.wrap(syscalls.rename_exclusive)
        syscalls.clone = self.wrap(syscalls.clone)
        real = os.open

        def opening(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            if flags & os.O_CREAT:
                return int(self.wrap(real)(path, flags, *rest, **named))
            return real(path, flags, *rest, **named)

        os.open = opening


def make_plan(request: dict[str, Any]) -> Plan:
    """What the request's operation is."""
    place, other = request["place"], request["other"]
    policy = Policy(request.get("policy", "fail"))
    options = Options(
        verify=Verify(request.get("verify", "source")), on_conflict=policy, mhl=request.get("mhl", False)
    )
    match request["operation"]:
        case "copy":
            into = f"{place}/b/" if policy is not Policy.FAIL else f"{place}/new/deep/"
            return transfer_plan(
                Operation.COPY, select([f"{place}/a"]), into, title="copy",
                answers=Answers(policy), options=options,
            )  # fmt: skip
        case "copy-sequence":
            into = f"{place}/b" if policy is not Policy.FAIL else f"{place}/r"
            return transfer_plan(
                Operation.COPY, select([f"{place}/a/beauty.#.exr"]), into, title="copy",
                answers=Answers(policy), options=options,
            )  # fmt: skip
        case "move-across":
            into = other if policy is not Policy.FAIL else f"{other}/new/"
            return transfer_plan(
                Operation.MOVE,
                select([f"{place}/a"]),
                into,
                title="move",
                answers=Answers(policy),
                options=options,
            )
        case "move-within":
            return transfer_plan(
                Operation.MOVE, select([f"{place}/a"]), f"{place}/b", title="move",
                answers=Answers(policy), options=options,
            )  # fmt: skip
        case "renumber":
            entry = select([f"{place}/a/beauty.#.exr"])[0]
            return renumber_plan(entry, title="renumber", offset=request.get("offset", 1), options=options)
        case "rename":
            names = ["x", "y", "z", "p", "q", "alone"]
            entries = select([f"{place}/r/{name}" for name in names], fold=False)
            pairs = by_lines(entries, "y\nz\nx\nq\np\nfree\n")
            return names_plan(Operation.RENAME, wanted(pairs), "rename", options)
        case "trash":
            return trash_plan(
                select([f"{place}/a/beauty.#.exr", f"{place}/r"]), title="trash", options=options
            )
    raise AssertionError(request["operation"])


def act(request: dict[str, Any]) -> dict[str, Any]:
    """What a child does."""
    countdown = Countdown(request.get("kill_at", 0))
    with Library.open(request["library"], create=True) as library:
        files = FileOperations(library)
        match request["do"]:
            case "run":
                plan = make_plan(request)
                countdown.install()
                return answered(files.run(plan, Control()), countdown)
            case "resume":
                jobs = files.interrupted()
                countdown.install()
                return answered(files.resume(jobs[0].uuid, Control()) if jobs else None, countdown)
            case "settle":
                countdown.install()
                for entry in files.interrupted():
                    files.settle(entry)
                return {"ok": True, "calls": countdown.seen}
            case "undo":
                return undo(files, countdown)
            case _:
                raise AssertionError(request["do"])


def answered(result: Result | None, countdown: Countdown) -> dict[str, Any]:
    """What a result says; None: there was nothing to resume."""
    failure = failure_of(result) if result is not None else None
    return {
        "ok": failure is None,
        "error": str(failure or ""),
        "calls": countdown.seen,
        "was_open": result is not None,
    }


def undo(files: FileOperations, countdown: Countdown) -> dict[str, Any]:
    """Undo the interrupted job, or the last one."""
    jobs = files.interrupted() or files.undo_stack(1)
    countdown.install()
    if not jobs:
        return {"ok": True, "calls": 0, "was_open": False}
    entry = files.settle(jobs[0])
    if not entry.undoable:
        return {"ok": True, "calls": countdown.seen, "was_open": True}
    plan = files.undo_plan(entry)
    assert plan is not None
    failure = failure_of(files.run(plan, Control()))
    return {"ok": failure is None, "error": str(failure or ""), "calls": countdown.seen, "was_open": True}


def child(request: dict[str, Any], answer: int) -> None:
    """The child's whole life."""
    try:
        try:
            said = act(request)
        except (KassettuiError, Refused) as error:
            said = {"ok": False, "error": f"{type(error).__name__}: {error}", "calls": 0}
        os.write(answer, json.dumps(said).encode())
    except BaseException:  # a child never returns into the server
        import traceback

        os.write(answer, json.dumps({"ok": False, "error": traceback.format_exc(), "calls": 0}).encode())
    finally:
        os._exit(0)


def serve() -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        reading, writing = os.pipe()
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            child(request, writing)
        os.close(writing)
        if "kill_after" in request:
            time.sleep(request["kill_after"])
            os.kill(pid, signal.SIGKILL)
        said = b""
        while block := os.read(reading, 65536):
            said += block
        os.close(reading)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer = json.loads(said) if said else {}
        sys.stdout.write(json.dumps({**answer, "killed": killed, "seconds": time.monotonic() - began}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
