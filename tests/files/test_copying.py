"""F1-F7: copies under real trouble, one at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ExitCode, Refused
from kassettui.files import staging
from kassettui.files.listing import select
from kassettui.files.operations import FileOperations, failure_of
from kassettui.files.plan import Operation, Options, Plan, Policy, Verify
from kassettui.files.transfer import BLOCK
from kassettui.jobs.control import Cancelled, Control
from kassettui.jobs.state import JobState
from tests.files.trees import copy, done, frames, move, picture, plan, undo, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kassettui.library.library import Library
    from tests.files.conftest import Unprivileged

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")


class Stopping(Control):
    """A control that calls `act` when so many bytes went over."""

    def __init__(self, at: int, act: Callable[[Control], None]) -> None:
        super().__init__()
        self.at, self.seen = at, 0
        self.act: Callable[[Control], None] | None = act

    def advance(self, items: int = 0, bytes: int = 0, *, current: str | None = None) -> None:  # noqa: A002
        super().advance(items, bytes, current=current)
        self.seen += bytes
        if self.act is not None and self.seen >= self.at:
            act, self.act = self.act, None
            act(self)


def large(path: Path, size: int = 8 * BLOCK) -> Path:
    """A file of several blocks."""
    return write(path, os.urandom(BLOCK) * (size // BLOCK))


def plan_without_space(wanted: Plan) -> Plan:
    """The plan as if the room had been there when it was made."""
    return replace(wanted, problems=(), space=())


def leftovers(place: Path) -> list[str]:
    """Temp names below."""
    return [name for _, _, names in os.walk(place) for name in names if name.startswith(".kassettui")]


@pytest.mark.parametrize("verify", list(Verify))
def test_F4_a_copy_keeps_bytes_mode_times_and_attributes(
    files: FileOperations, place: Path, verify: Verify
) -> None:
    source = large(place / "a" / "film.mov")
    source.chmod(0o751)
    os.utime(source, ns=(1, 1_234_567_890_123_456_789))
    try:
        os.setxattr(source, "user.note", b"keep me")
    except OSError:
        pytest.skip("no extended attributes here")
    copy(files, source, place / "b.mov", options=Options(verify=verify))
    facts = os.stat(place / "b.mov")
    assert (place / "b.mov").read_bytes() == source.read_bytes()
    assert (facts.st_mode & 0o7777, facts.st_mtime_ns) == (0o751, 1_234_567_890_123_456_789)
    assert os.getxattr(place / "b.mov", "user.note") == b"keep me"


def test_F4_cancel_mid_file_leaves_nothing_under_the_final_name(files: FileOperations, place: Path) -> None:
    source = large(place / "film.mov")
    before = picture(place)
    with pytest.raises(Cancelled) as caught:
        files.run(plan(Operation.COPY, source, place / "copy.mov"), Stopping(3 * BLOCK, Control.cancel))
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert picture(place) == before
    assert files.history()[0].state == JobState.CANCELLED


def test_F5_a_cancel_is_heard_within_one_block(files: FileOperations, place: Path) -> None:
    source = large(place / "film.mov", 64 * BLOCK)
    control = Stopping(3 * BLOCK, Control.cancel)
    with pytest.raises(Cancelled):
        files.run(plan(Operation.COPY, source, place / "copy.mov"), control)
    assert control.seen == 3 * BLOCK


def test_F5_pause_stops_the_bytes_and_resume_lets_them_go_on(files: FileOperations, place: Path) -> None:
    source = large(place / "film.mov", 64 * BLOCK)
    paused = threading.Event()

    def pause(control: Control) -> None:
        control.pause()
        paused.set()

    control = Stopping(5 * BLOCK, pause)
    results: list[object] = []
    wanted = plan(Operation.COPY, source, place / "copy.mov")
    worker = threading.Thread(target=lambda: results.append(files.run(wanted, control)))
    worker.start()
    assert paused.wait(30)
    while control.state is not JobState.PAUSED:
        paused.wait(0.01)
    at = control.seen
    worker.join(0.3)
    assert worker.is_alive()
    assert control.seen == at == 5 * BLOCK
    control.resume()
    worker.join(30)
    assert (place / "copy.mov").read_bytes() == source.read_bytes()
    assert results


def test_F6_cancel_a_move_between_copy_and_delete(
    files: FileOperations, place: Path, other_device: Path
) -> None:
    frames(place / "a")
    before = picture(place / "a")

    class AtRemoval(Control):
        def checkpoint(self) -> None:
            if all((other_device / "a" / f"beauty.{frame}.exr").exists() for frame in range(1001, 1011)):
                self.cancel()
            super().checkpoint()

    with pytest.raises(Cancelled):
        files.run(plan(Operation.MOVE, place / "a", other_device), AtRemoval())
    assert picture(place / "a") == before
    assert picture(other_device / "a") == before
    undo(files)
    assert picture(place / "a") == before
    assert not (other_device / "a").exists()


def test_F6_a_move_between_devices_keeps_everything(
    files: FileOperations, place: Path, other_device: Path
) -> None:
    frames(place / "a")
    write(place / "a" / "deep" / "x", "x", mode=0o600)
    os.link(place / "a" / "deep" / "x", place / "a" / "y")
    os.symlink("nowhere", place / "a" / "dangling")
    before = picture(place / "a")
    move(files, place / "a", other_device)
    assert picture(other_device / "a") == before
    assert not (place / "a").exists()
    assert os.path.samefile(other_device / "a" / "y", other_device / "a" / "deep" / "x")
    undo(files)
    assert picture(place / "a") == before
    assert os.path.samefile(place / "a" / "y", place / "a" / "deep" / "x")


def test_F6_permission_error_at_the_destination_is_refused_before_the_first_byte(
    unprivileged: Unprivileged,
) -> None:
    files, place, other_device = unprivileged
    write(place / "a", "a")
    other_device.chmod(0o555)
    wanted = plan(Operation.MOVE, place / "a", other_device)
    assert [problem.code for problem in wanted.fatal_problems] == ["not_writable"]
    with pytest.raises(Refused, match="permission denied"):
        files.run(wanted, Control())
    assert (place / "a").read_text() == "a"


def test_F6_permission_lost_during_a_move_leaves_the_source(unprivileged: Unprivileged) -> None:
    files, place, other_device = unprivileged
    frames(place / "a")
    before = picture(place)
    wanted = plan(Operation.MOVE, place / "a" / "beauty.#.exr", other_device)
    other_device.chmod(0o555)
    result = files.run(wanted, Control())
    assert "Permission denied (EACCES)" in result.failures[0].message
    assert picture(place) == before
    assert not list(other_device.iterdir())


def test_F2_a_file_that_cannot_be_read_fails_alone(unprivileged: Unprivileged) -> None:
    files, place, _ = unprivileged
    for name in "abc":
        write(place / "from" / name, name)
    (place / "from" / "b").chmod(0o000)
    wanted = plan(Operation.COPY, place / "from", place / "to")
    assert [(problem.code, problem.fatal) for problem in wanted.problems] == [("not_readable", False)]
    result = files.run(wanted, Control())
    assert len(result.failures) == 1
    assert sorted(os.listdir(place / "to")) == ["a", "c"]


def test_F6_a_source_that_changed_after_it_was_copied_stays(
    files: FileOperations, place: Path, other_device: Path
) -> None:
    source = write(place / "a", "before")

    class Touching(Control):
        def checkpoint(self) -> None:
            if (other_device / "a").exists():
                write(source, "after!", mtime=5)
            super().checkpoint()

    result = files.run(plan(Operation.MOVE, source, other_device), Touching())
    assert [failure.path for failure in result.failures] == [os.fspath(source)]
    assert source.read_text() == "after!"
    assert (other_device / "a").read_text() == "before"


def test_F7_a_source_that_changes_while_it_is_read_fails(files: FileOperations, place: Path) -> None:
    source = large(place / "growing.mov")

    def grow(_: Control) -> None:
        with open(source, "ab") as file:
            file.write(b"more")

    result = files.run(plan(Operation.COPY, source, place / "copy.mov"), Stopping(2 * BLOCK, grow))
    assert "changed while it was read" in result.failures[0].message
    assert not (place / "copy.mov").exists()
    assert leftovers(place) == []


@pytest.mark.parametrize("shrunk", [0, 3 * BLOCK])
def test_F7_a_source_that_shrinks_while_it_is_read_fails(
    files: FileOperations, place: Path, shrunk: int
) -> None:
    source = large(place / "film.mov")
    control = Stopping(2 * BLOCK, lambda _: os.truncate(source, shrunk))
    result = files.run(plan(Operation.COPY, source, place / "copy.mov"), control)
    assert "changed while it was read" in result.failures[0].message
    assert leftovers(place) == []


def test_F7_a_source_that_vanishes_fails_alone(files: FileOperations, place: Path) -> None:
    for name in "abc":
        write(place / "from" / name, name)
    wanted = plan(Operation.COPY, place / "from", place / "to")
    (place / "from" / "b").unlink()
    result = files.run(wanted, Control())
    assert [os.path.basename(failure.path) for failure in result.failures] == ["b"]
    assert "No such file or directory (ENOENT)" in result.failures[0].message
    assert sorted(os.listdir(place / "to")) == ["a", "c"]
    failure = failure_of(result)
    assert failure is not None
    assert failure.exit_code is ExitCode.PARTIAL


def test_F7_what_took_the_sources_name_is_not_read(files: FileOperations, place: Path) -> None:
    write(place / "a", "a")
    wanted = plan(Operation.COPY, place / "a", place / "b")
    (place / "a").unlink()
    os.mkfifo(place / "a")
    result = files.run(wanted, Control())
    assert "no regular file" in result.failures[0].message
    assert not (place / "b").exists()


def test_F7_verify_both_finds_a_disk_that_lies(
    files: FileOperations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = large(place / "film.mov")
    real = os.fsync

    def lying(fd: int) -> None:
        real(fd)
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path.endswith(".part"):
            with open(path, "r+b") as file:
                file.seek(BLOCK)
                file.write(b"\0")

    monkeypatch.setattr("kassettui.files.staging.os.fsync", lying)
    options = Options(verify=Verify.BOTH)
    result = files.run(plan(Operation.COPY, source, place / "copy.mov", options=options), Control())
    failure = failure_of(result)
    assert failure is not None
    assert failure.exit_code is ExitCode.DAMAGED
    assert not (place / "copy.mov").exists()


def test_F3_a_destination_that_appears_after_the_plan_fails_that_step(
    files: FileOperations, place: Path
) -> None:
    for name in "ab":
        write(place / "from" / name, name)
    (place / "to").mkdir()
    wanted = plan(Operation.COPY, [place / "from" / "a", place / "from" / "b"], place / "to")
    write(place / "to" / "a", "mine")
    result = files.run(wanted, Control())
    assert "appeared there meanwhile" in result.failures[0].message
    assert (place / "to" / "a").read_text() == "mine"
    assert (place / "to" / "b").read_text() == "b"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy.OVERWRITE, {"a": "new"}),
        (Policy.SKIP, {"a": "old"}),
        (Policy.KEEP_BOTH, {"a": "old", "a (2)": "new"}),
        (Policy.NEWER, {"a": "new"}),
        (Policy.SIZE_DIFFERS, {"a": "old"}),
        (Policy.CONTENT_DIFFERS, {"a": "new"}),
    ],
)
def test_F3_the_answer_for_all_holds_for_what_appears_meanwhile(
    files: FileOperations, place: Path, policy: Policy, expected: dict[str, str]
) -> None:
    write(place / "a", "new", mtime=200)
    (place / "to").mkdir()
    wanted = plan(Operation.COPY, place / "a", place / "to", policy)
    write(place / "to" / "a", "old", mtime=100)
    done(files, wanted)
    assert {path.name: path.read_text() for path in (place / "to").iterdir()} == expected


def test_F3_something_between_check_and_rename_is_never_overwritten(
    files: FileOperations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place / "a", "new")
    real = staging.Stager.settle

    def settle(self: staging.Stager, staged: staging.Staged, fd: int) -> None:
        real(self, staged, fd)
        write(staged.step.destination, "appeared")

    monkeypatch.setattr(staging.Stager, "settle", settle)
    result = files.run(plan(Operation.COPY, place / "a", place / "b"), Control())
    assert result.failures
    assert (place / "b").read_text() == "appeared"


def test_F4_metadata_that_cannot_be_set_is_one_warning(
    files: FileOperations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames(place / "a")

    def refusing(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr("kassettui.files.metadata.os.utime", refusing)
    result = copy(files, place / "a", place / "b")
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("Times could not be kept (Operation not permitted): ")
    assert result.warnings[0].endswith(" and 10 more.")
    assert files.history()[0].state == JobState.DONE_WITH_WARNINGS
    assert (place / "b" / "beauty.1001.exr").read_bytes() == (place / "a" / "beauty.1001.exr").read_bytes()


@root_only
def test_F9_disk_full_in_mid_sequence_leaves_no_frame(
    files: FileOperations, place: Path, small_disk: Path
) -> None:
    frames(place / "a", size=300_000)
    wanted = plan(Operation.COPY, place / "a" / "beauty.#.exr", small_disk)
    assert [problem.code for problem in wanted.fatal_problems] == ["no_space"]
    lucky = plan_without_space(wanted)
    result = files.run(lucky, Control())
    assert "No space left on device (ENOSPC)" in result.failures[0].message
    assert list(small_disk.iterdir()) == []


@root_only
def test_F4_disk_full_of_inodes_fails_that_step(files: FileOperations, place: Path, small_disk: Path) -> None:
    for number in range(60):
        write(place / "a" / f"{number}.txt", "x")
    result = files.run(plan(Operation.COPY, place / "a", small_disk), Control())
    assert any("ENOSPC" in failure.message for failure in result.failures)
    assert leftovers(small_disk) == []
    assert 0 < len(list((small_disk / "a").iterdir())) < 60


def test_F2_a_directory_is_not_copied_into_itself_or_its_child(place: Path) -> None:
    (place / "a" / "child").mkdir(parents=True)
    (place / "link").symlink_to("a/child")
    for destination in ("a", "a/child", "link", "a/child/new/"):
        wanted = plan(Operation.COPY, place / "a", f"{place}/{destination}")
        assert [problem.code for problem in wanted.fatal_problems] == ["into_itself"], destination


def test_F2_the_same_file_by_any_name_is_refused(place: Path) -> None:
    write(place / "a", "a")
    os.link(place / "a", place / "b")
    (place / "here").symlink_to(".")
    for destination in ("a", "b", "here/a", "here"):
        wanted = plan(Operation.COPY, place / "a", place / destination, Policy.OVERWRITE)
        assert [problem.code for problem in wanted.fatal_problems] == ["same_file"], destination


def test_F2_two_sources_for_one_destination_are_refused(place: Path) -> None:
    write(place / "x" / "a", "1")
    write(place / "y" / "a", "2")
    (place / "to").mkdir()
    wanted = plan(Operation.COPY, [place / "x" / "a", place / "y" / "a"], place / "to")
    assert [problem.code for problem in wanted.fatal_problems] == ["collision"]


def test_F2_room_that_other_jobs_have_reserved_does_not_count(files: FileOperations, place: Path) -> None:
    write(place / "a", "x" * 1000)
    device = os.stat(place).st_dev
    with files.reservations.reserve(device, 10**17, free=10**17):
        wanted = files.plans.copy(select([f"{place}/a"]), f"{place}/b")
        assert [problem.code for problem in wanted.fatal_problems] == ["no_space"]
    assert files.plans.copy(select([f"{place}/a"]), f"{place}/b").runnable


def test_F2_a_name_that_is_too_long_there_is_refused(place: Path) -> None:
    write(place / "a", "a")
    wanted = plan(Operation.COPY, place / "a", place / ("n" * 256))
    assert [problem.code for problem in wanted.fatal_problems] == ["name_too_long"]


def test_R9_links_loops_fifos_and_sockets_are_never_followed_or_opened(
    files: FileOperations, place: Path
) -> None:
    tree = place / "a"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "loop").symlink_to("../..")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "self").symlink_to("self")
    os.mkfifo(tree / "pipe")
    copy(files, tree, place / "b")
    assert picture(place / "b") == picture(tree)


def test_R9_a_socket_is_named_and_the_rest_is_copied(files: FileOperations, place: Path) -> None:
    import socket

    write(place / "a" / "x", "x")
    here = os.getcwd()
    os.chdir(place / "a")  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind("sock")
    finally:
        os.chdir(here)
    wanted = plan(Operation.COPY, place / "a", place / "b")
    assert [problem.code for problem in wanted.warnings] == ["not_copied"]
    done(files, wanted)
    assert os.listdir(place / "b") == ["x"]


def test_R9_holes_and_hard_links_are_kept(files: FileOperations, place: Path) -> None:
    sparse = place / "a" / "sparse"
    sparse.parent.mkdir()
    with open(sparse, "wb") as file:
        file.truncate(64 * BLOCK)
        file.seek(20 * BLOCK)
        file.write(b"data" * 1000)
    os.link(sparse, place / "a" / "twin")
    copy(files, place / "a", place / "b")
    first, second = os.stat(place / "b" / "sparse"), os.stat(place / "b" / "twin")
    assert first.st_ino == second.st_ino
    assert first.st_blocks * 512 < BLOCK
    assert (place / "b" / "sparse").read_bytes() == sparse.read_bytes()


@pytest.mark.parametrize("verify", [Verify.SOURCE, Verify.BOTH])
def test_F7_the_hash_of_a_sparse_file_is_that_of_its_bytes(
    files: FileOperations, library: Library, place: Path, verify: Verify
) -> None:
    import xxhash

    from kassettui.library import journal

    sparse = place / "sparse"
    with open(sparse, "wb") as file:
        file.truncate(5 * BLOCK + 7)
        file.seek(2 * BLOCK + 3)
        file.write(b"x")
    copy(files, sparse, place / "copy", options=Options(verify=verify))
    entry = files.history()[0]
    step = library.read(journal.steps, entry.id)[0]
    assert step.content_hash == xxhash.xxh3_128_hexdigest(sparse.read_bytes())


def test_R9_deep_trees_are_copied_moved_and_deleted(
    files: FileOperations, place: Path, other_device: Path
) -> None:
    deep = place / "a"
    deep.mkdir()
    script = 'cd "$0" && for i in $(seq 500); do mkdir ddddddddd && cd ddddddddd; done && echo x > leaf'
    subprocess.run(["bash", "-c", script, deep], check=True)
    result = copy(files, deep, place / "b")
    assert result.items_done == 502
    move(files, deep, other_device)
    assert not deep.exists()
    undo(files)
    assert deep.exists()
    done(files, files.plans.delete(select([os.fspath(deep), f"{place}/b"])))
    assert os.listdir(place) == []


def test_R9_ten_thousand_files_in_one_job(files: FileOperations, place: Path) -> None:
    (place / "a").mkdir()
    for number in range(10_000):
        (place / "a" / f"f{number:05}.txt").write_bytes(b"%d" % number)
    result = copy(files, place / "a", place / "b", options=Options(durable=False))
    assert result.items_done == 10_001
    assert len(os.listdir(place / "b")) == 10_000
    assert (place / "b" / "f09999.txt").read_bytes() == b"9999"


NAMES = [
    "new\nline", "\x1b]52;c;aGk=\x07", "[red]x[b]", "a\u202ecod.exe", "zero\u200bwidth",
    os.fsdecode(b"\xff\xfe"), "-rf", " lead", "trail ", "n" * 255, "\U0001f3ac", "é", "e\u0301",
    "Case", "case", ";rm", "$(x)", "%s", "'\"", "~", "#", "a#b.####.exr",
]  # fmt: skip


def test_R8_odd_names_go_through_copy_rename_trash_and_back(files: FileOperations, place: Path) -> None:
    for name in NAMES:
        write(place / "a" / name, name.encode("utf-8", "surrogateescape"))
    before = picture(place)
    copy(files, place / "a", place / "b")
    assert picture(place / "b") == picture(place / "a")
    move(files, place / "b", place / "c")
    from kassettui.files.disposing import trash_plan

    paths = [f"{place}/c/{name}" for name in NAMES]
    done(files, trash_plan(select(paths), title="odd names"))
    assert os.listdir(place / "c") == []
    for _ in range(3):
        undo(files)
    assert picture(place) == before
