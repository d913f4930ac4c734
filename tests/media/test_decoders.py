"""P2, P9: decoder processes that may hang, die, run out of memory; and who is served first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kassettui.media.decoders import Decoders, Stamp
from kassettui.media.messages import (
    Checked,
    Failed,
    FailureCode,
    Probed,
    Render,
    Rendered,
    Reported,
    WorkerSettings,
)
from kassettui.media.waiting import Priority, Waiting
from kassettui.observe.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kassettui.media.decoders import Ticket
    from kassettui.media.messages import Answer

QUICK = WorkerSettings(seconds=1.0, threads=1)


def picture(path: Path, size: int = 64) -> Render:
    return Render(os.fsencode(path), size, size)


def answer(ticket: Ticket) -> Answer:
    return ticket.future.result(timeout=60)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process or thread does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(0.005)


def gone(pid: int) -> bool:
    """No such process, not even as a zombie."""
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def one() -> Iterator[Decoders]:
    """A pool of one process with a short time limit, for tests that break it."""
    with Decoders(QUICK, count=1) as pool:
        yield pool


@pytest.fixture
def stopped(one: Decoders, made: Path) -> Iterator[Decoders]:
    """The same, its process stopped: what is asked now hangs or waits."""
    assert isinstance(answer(one.submit(picture(made / "stills" / "plain.png"))), Rendered)
    pid = one.pids[0]
    os.kill(pid, signal.SIGSTOP)
    yield one
    if not gone(pid):
        os.kill(pid, signal.SIGCONT)


def test_P2_a_file_that_hangs_the_decoder_gets_a_mark_and_the_next_goes_on(
    stopped: Decoders, made: Path
) -> None:
    before = stopped.pids[0]
    hanging = stopped.submit(picture(made / "exr" / "zip.exr"))
    following = stopped.submit(picture(made / "stills" / "plain.jpg"))
    failed = answer(hanging)
    assert isinstance(failed, Failed)
    assert failed.code is FailureCode.TIMEOUT
    assert isinstance(answer(following), Rendered)
    assert stopped.pids != (before,)
    until(lambda: gone(before))
    assert (stopped.counters.hung, stopped.counters.started) == (1, 2)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_P2_a_decoder_that_dies_leaves_a_mark_and_no_zombie(
    stopped: Decoders, made: Path, number: signal.Signals
) -> None:
    before = stopped.pids[0]
    dying = stopped.submit(picture(made / "exr" / "zip.exr"))
    until(lambda: stopped.backlog == 0)
    os.kill(before, number)
    os.kill(before, signal.SIGCONT)
    failed = answer(dying)
    assert isinstance(failed, Failed)
    assert failed.code is FailureCode.CRASHED
    assert number.name in failed.reason
    assert isinstance(answer(stopped.submit(picture(made / "exr" / "piz.exr"))), Rendered)
    until(lambda: gone(before))


def test_P2_a_decoder_killed_while_idle_is_replaced(one: Decoders, made: Path) -> None:
    assert isinstance(answer(one.probe(str(made / "exr" / "zip.exr"))), Probed)
    before = one.pids[0]
    os.kill(before, signal.SIGKILL)
    until(lambda: gone(before) or "Z" in Path(f"/proc/{before}/stat").read_text(encoding="ascii"))
    assert isinstance(answer(one.probe(str(made / "exr" / "zip.exr"))), Probed)
    until(lambda: gone(before))


def test_P2_a_file_that_failed_is_not_tried_again_until_it_changes(stopped: Decoders, made: Path) -> None:
    path = made / "exr" / "zip.exr"
    stamp = Stamp.of(str(path))
    assert isinstance(answer(stopped.submit(picture(path), stamp=stamp)), Failed)
    again = stopped.submit(picture(path, 128), stamp=stamp)
    assert again.future.done()
    assert isinstance(answer(again), Failed)
    assert (stopped.counters.remembered, stopped.counters.hung) == (1, 1)
    changed = Stamp(stamp.path, stamp.size, stamp.mtime_ns + 1)
    assert isinstance(answer(stopped.submit(picture(path), stamp=changed)), Rendered)
    stopped.forget_failures()
    assert isinstance(answer(stopped.submit(picture(path), stamp=stamp)), Rendered)


def test_P2_a_wrong_question_about_a_file_does_not_condemn_the_file(one: Decoders, made: Path) -> None:
    from kassettui.media.facts import Look

    path = made / "exr" / "zip.exr"
    stamp = Stamp.of(str(path))
    wrong = Render(os.fsencode(path), 64, 64, Look(layer="nothing"))
    failed = answer(one.submit(wrong, stamp=stamp))
    assert isinstance(failed, Failed)
    assert failed.code is FailureCode.NO_LAYER
    assert isinstance(answer(one.submit(picture(path), stamp=stamp)), Rendered)


def test_P2_a_picture_beyond_the_memory_limit_fails_alone(made: Path, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    big = tmp_path / "big.png"
    Image.fromarray(np.zeros((14000, 14000), np.uint8)).convert("RGBA").save(big, compress_level=1)
    with Decoders(WorkerSettings(seconds=30, memory=900 * 1024**2, threads=1), count=1) as pool:
        failed = answer(pool.submit(picture(big)))
        assert isinstance(failed, Failed)
        assert failed.code in {FailureCode.OUT_OF_MEMORY, FailureCode.CRASHED}
        assert isinstance(answer(pool.submit(picture(made / "stills" / "plain.jpg"))), Rendered)


def test_P2_a_picture_beyond_the_pixel_limit_is_refused_at_once(made: Path) -> None:
    with Decoders(WorkerSettings(pixels=50_000, threads=1), count=1) as pool:
        for name in (
            "exr/zip.exr",
            "stills/plain.png",
            "stills/plain.jpg",
            "stills/plain.tga",
            "movies/h264.mp4",
        ):
            failed = answer(pool.submit(picture(made / name)))
            assert isinstance(failed, Failed), name
            assert failed.code is FailureCode.TOO_LARGE, name


def test_P2_the_process_is_limited_and_cannot_write(one: Decoders, made: Path) -> None:
    answer(one.probe(str(made / "exr" / "zip.exr")))
    status = Path(f"/proc/{one.pids[0]}/limits").read_text(encoding="ascii")
    limits = {line[:25].strip(): line[25:].split()[0] for line in status.splitlines()[1:]}
    assert limits["Max address space"] == str(QUICK.memory)
    assert limits["Max core file size"] == "0"
    assert limits["Max file size"] == "0"
    assert os.getpriority(os.PRIO_PROCESS, one.pids[0]) > os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getsid(one.pids[0]) != os.getsid(0)


def test_P2_what_decoders_print_goes_to_the_log(made: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    data = bytearray((made / "stills" / "plain.png").read_bytes())
    data[60] ^= 0xFF
    broken.write_bytes(data[:40] + b"\0\0\0\1abcd" + data[48:])
    lines: list[str] = []
    with Decoders(QUICK, count=1, log=lines.append) as pool:
        answer(pool.probe(str(broken)))
        answer(pool.check(str(broken)))
    assert any("libpng" in line for line in lines)


def test_P2_equal_requests_share_one_decode(stopped: Decoders, made: Path) -> None:
    pid = stopped.pids[0]
    request = picture(made / "exr" / "zip.exr")
    tickets = [stopped.submit(request) for _ in range(5)]
    other = stopped.submit(picture(made / "exr" / "zip.exr", 32))
    os.kill(pid, signal.SIGCONT)
    answers = [answer(ticket) for ticket in tickets]
    assert all(one is answers[0] for one in answers)
    assert isinstance(answer(other), Rendered)
    assert (stopped.counters.shared, stopped.counters.decoded) == (4, 3)


def test_P9_the_screen_comes_first_then_what_is_near_then_the_rest(stopped: Decoders, made: Path) -> None:
    pid = stopped.pids[0]
    order: list[str] = []

    def ask(name: str, size: int, priority: Priority) -> Ticket:
        ticket = stopped.submit(picture(made / "stills" / "plain.png", size), priority=priority)
        ticket.future.add_done_callback(lambda _: order.append(name))
        return ticket

    first = ask("running", 20, Priority.BACKGROUND)
    until(lambda: stopped.backlog == 0)
    tickets = [
        ask("background", 21, Priority.BACKGROUND),
        ask("near", 22, Priority.NEAR),
        ask("visible", 23, Priority.VISIBLE),
        raised := ask("raised", 24, Priority.BACKGROUND),
        lowered := ask("lowered", 25, Priority.VISIBLE),
    ]
    raised.want(Priority.VISIBLE)
    lowered.want(Priority.BACKGROUND)
    os.kill(pid, signal.SIGCONT)
    for ticket in [first, *tickets]:
        answer(ticket)
    assert order == ["running", "visible", "raised", "near", "background", "lowered"]


def test_P9_what_nobody_wants_any_more_is_not_decoded(stopped: Decoders, made: Path) -> None:
    pid = stopped.pids[0]
    running = stopped.submit(picture(made / "exr" / "zip.exr"))
    until(lambda: stopped.backlog == 0)
    waiting = [stopped.submit(picture(made / "exr" / "zip.exr", size)) for size in range(10, 30)]
    wanted_twice = stopped.submit(picture(made / "exr" / "zip.exr", 10))
    for ticket in waiting:
        ticket.cancel()
    assert stopped.backlog == 1
    os.kill(pid, signal.SIGCONT)
    assert isinstance(answer(running), Rendered)
    assert isinstance(answer(wanted_twice), Rendered)
    assert all(ticket.future.cancelled() for ticket in waiting)
    assert (stopped.counters.cancelled, stopped.counters.decoded) == (19, 3)


def test_P9_a_decode_that_nobody_wants_any_more_is_broken_off(made: Path) -> None:
    with Decoders(WorkerSettings(seconds=600.0, threads=1), count=1) as pool:
        answer(pool.submit(picture(made / "stills" / "plain.png")))
        before = pool.pids[0]
        os.kill(before, signal.SIGSTOP)  # from here it would take for ever
        ticket = pool.submit(picture(made / "exr" / "zip.exr"))
        until(lambda: pool.backlog == 0)
        ticket.cancel()
        assert isinstance(answer(pool.submit(picture(made / "exr" / "piz.exr"))), Rendered)
        assert pool.counters.abandoned == 1
        until(lambda: gone(before))


def test_P9_what_is_wanted_again_in_time_goes_on(stopped: Decoders, made: Path) -> None:
    request = picture(made / "exr" / "zip.exr")
    first = stopped.submit(request)
    until(lambda: stopped.backlog == 0)
    first.cancel()
    again = stopped.submit(request)
    os.kill(stopped.pids[0], signal.SIGCONT)
    assert isinstance(answer(again), Rendered)
    assert (stopped.counters.abandoned, stopped.counters.shared, stopped.counters.started) == (0, 1, 1)


def test_P9_a_second_process_starts_only_when_there_is_work_for_it(made: Path) -> None:
    with Decoders(QUICK, count=2) as pool:
        for _ in range(3):
            answer(pool.probe(str(made / "exr" / "zip.exr")))
        assert len(pool.pids) == 1
        tickets = [pool.submit(picture(made / "exr" / "zip.exr", size)) for size in range(40, 80)]
        for ticket in tickets:
            answer(ticket)
        assert len(pool.pids) == 2


def test_P2_closing_is_quick_and_leaves_nothing_behind(made: Path) -> None:
    pool = Decoders(WorkerSettings(seconds=600.0, threads=1), count=2)
    answer(pool.submit(picture(made / "stills" / "plain.png")))
    pids = pool.pids
    os.kill(pids[0], signal.SIGSTOP)
    tickets = [pool.submit(picture(made / "exr" / "zip.exr", size)) for size in range(10, 300)]
    pool.close(timeout=20)
    for ticket in tickets:
        assert ticket.future.done()
    assert pool.pids == ()
    for pid in pids:
        until(partial(gone, pid))
    assert isinstance(answer(pool.probe("/anything")), Failed)


def test_P2_processes_die_with_their_parent(made: Path) -> None:
    code = (
        "import os, sys, threading; from kassettui.media.decoders import Decoders; d = Decoders(count=1)\n"
        f"d.probe({str(made / 'exr' / 'zip.exr')!r}).future.result(60)\n"
        "print(d.pids[0], flush=True); os.kill(d.pids[0], 19); threading.Event().wait()"
    )
    home = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(home)}
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], env=environment, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
        parent.wait()
    until(
        lambda: (
            gone(pid) or "Z" in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2][:3]
        )
    )


def test_P2_every_kind_of_request_is_answered(decoders: Decoders, made: Path) -> None:
    path = made / "exr" / "layers.exr"
    assert isinstance(answer(decoders.probe(str(path))), Probed)
    assert isinstance(answer(decoders.check(str(path))), Checked)
    assert isinstance(answer(decoders.report()), Reported)


@pytest.mark.parametrize("kind", ["fifo", "directory", "gone", "unreadable"])
def test_R9_files_that_are_no_files_get_a_mark(decoders: Decoders, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it.exr"
    expected = FailureCode.UNREADABLE
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "unreadable":
        path = Path("/proc/self/mem")
    else:
        expected = FailureCode.GONE
    for ticket in (decoders.probe(str(path)), decoders.submit(picture(path))):
        failed = answer(ticket)
        assert isinstance(failed, Failed)
        assert failed.code in {expected, FailureCode.DAMAGED, FailureCode.UNSUPPORTED}


NAMES = (
    b"\xff\xfe.exr", b"new\nline.exr", b"a?b=c.exr", b"100%d.exr", b"http:x.exr", b"-n.exr", b"[red].exr",
    b"x" * 251 + b".exr", "ü✓😀.exr".encode(), b"no_extension",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_R8_any_name_is_decoded(decoders: Decoders, made: Path, tmp_path: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    os.link(made / "exr" / "zip.exr", path)
    assert isinstance(answer(decoders.probe(os.fsdecode(path))), Probed)
    assert isinstance(answer(decoders.submit(Render(path, 64, 64))), Rendered)
    assert isinstance(answer(decoders.check(os.fsdecode(path))), Checked)


def test_P2_decodes_are_counted(made: Path) -> None:
    metrics = Metrics()
    with Decoders(QUICK, count=1, metrics=metrics) as pool:
        answer(pool.probe(str(made / "exr" / "zip.exr")))
        os.kill(pool.pids[0], signal.SIGSTOP)
        answer(pool.probe(str(made / "exr" / "piz.exr")))
    assert metrics.decode_run.distributions()["probe"].count == 2
    assert metrics.decoders_replaced.value("hung") == 1


def test_P9_the_queue_is_ordered_by_the_most_urgent_asker() -> None:
    waiting: Waiting[str] = Waiting()
    low, fresh = waiting.add("low", picture(Path("low")), None, Priority.BACKGROUND)
    low.tickets["a"] = Priority.BACKGROUND
    high, _ = waiting.add("high", picture(Path("high")), None, Priority.NEAR)
    high.tickets["b"] = Priority.NEAR
    shared, again = waiting.add("low", picture(Path("low")), None, Priority.VISIBLE)
    shared.tickets["c"] = Priority.VISIBLE
    assert (fresh, again, shared is low, len(waiting)) == (True, False, True, 2)
    assert waiting.take() is low
    assert waiting.take() is high
    assert waiting.take() is None
    low.tickets.clear()
    assert not waiting.again(low)
    assert waiting.again(high)
    assert waiting.take() is high
