"""Scanning real trees: what is found, what is left alone, what goes wrong (spec: ingest I3, I21)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput
from kassettui.core.kinds import Kind
from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.scan import ScannedDirectory, scan
from tests.ingest.trees import OLD_NS, frames, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

NOBODY = 65534


def found(root: Path, **options: object) -> dict[str, ScannedDirectory]:
    """The scan of `root` by path."""
    return {each.path: each for each in scan(str(root), **options)}  # type: ignore[arg-type]


def items(directory: ScannedDirectory) -> list[str]:
    """What a directory holds, sequences as patterns with their ranges."""
    grouping = directory.grouping
    return [
        *(f"{each.pattern} {each.ranges.text}" for each in grouping.groups),
        *(single.name for single in (*grouping.singles, *grouping.strays)),
    ]


def everything(root: Path, **options: object) -> dict[str, list[str]]:
    """Items by directory, those without any left out."""
    return {path: items(each) for path, each in found(root, **options).items() if items(each)}


def errors(root: Path, **options: object) -> list[tuple[str, str, bool]]:
    """(path, code, whether a directory) of all errors."""
    return [
        (error.path, error.code, error.directory)
        for each in found(root, **options).values()
        for error in each.errors
    ]


class AtCheckpoint:
    """A control that does something at its n-th checkpoint: the real thing that happens in mid-scan."""

    def __init__(self, number: int, action: Callable[[], object]) -> None:
        self._left = number
        self._action = action

    def checkpoint(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._action()


@contextmanager
def without_privileges() -> Iterator[None]:
    """Permissions count: root, whom they do not stop, is nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# -- what is found ------------------------------------------------------------------------------------------


def test_a_tree_becomes_sequences_and_singles_with_size_and_time(root: Path) -> None:
    frames(root / "sh010", range(1001, 1004), content=b"12345")
    write(root / "sh010" / "ref.mov", b"movie", OLD_NS + 7)
    write(root / "still_0001.jpg", b"x")
    seen = found(root)
    assert list(seen) == ["", "sh010"]
    shot = seen["sh010"]
    (sequence,) = shot.grouping.groups
    assert (sequence.name_of(1002), sequence.ranges.text) == ("beauty.1002.exr", "1001-1003")
    assert list(sequence.sizes or ()) == [5, 5, 5]
    assert list(sequence.mtimes or ()) == [OLD_NS + frame * 1_000_000 for frame in range(1001, 1004)]
    (movie,) = shot.grouping.singles
    assert (movie.kind, shot.size_and_time(movie)) == (Kind.MOVIE, (5, OLD_NS + 7))
    assert shot.device == os.stat(root).st_dev
    assert items(seen[""]) == ["still_0001.jpg"]
    assert errors(root) == []


def test_directories_come_before_what_is_in_them_and_by_name(root: Path) -> None:
    for path in ("b/a", "b.x", "a", "b/c/d", "b-", "B", "a/z"):
        (root / path).mkdir(parents=True)
    expected = ["", "B", "a", "a/z", "b", "b/a", "b/c", "b/c/d", "b-", "b.x"]
    assert list(found(root)) == expected
    assert list(found(root, threads=4)) == expected


def test_only_media_are_looked_at_unless_all_files_are_asked_for(root: Path) -> None:
    for name in ("comp.nk", "notes.txt", "README", "a.0001.exr", "cache.bgeo.sc"):
        write(root / name)
    assert everything(root) == {"": ["a.####.exr 1", "cache.bgeo.sc"]}
    assert sorted(everything(root, all_files=True)[""]) == [
        "README", "a.####.exr 1", "cache.bgeo.sc", "comp.nk", "notes.txt",
    ]  # fmt: skip


def test_a_scan_that_is_not_recursive_stays_where_it_is(root: Path) -> None:
    frames(root / "a", [1, 2])
    frames(root / "a" / "b", [1, 2])
    assert list(found(root, scopes=["a"], recursive=False)) == ["a"]


R8 = [
    "inv\udcffalid\udc80", "new\nline", "\x1b]52;c;x\x07", "[red]", "[b]", "\u202egnp", "zero\u200bwidth",
    "-rf", " lead", "trail ", "emoji\U0001f3ac", "e\u0301", "\u00e9", "Case", "case", ";rm -rf", "$(id)",
    "%s%n", "#", "'\"", "\x7f", "x" * 240,
]  # fmt: skip


def test_R8_any_name_is_found_as_it_is(root: Path) -> None:
    os.makedirs(os.fsencode(f"{root}/{R8[0]}/deeper"))
    for place in (f"{root}", f"{root}/{R8[0]}/deeper"):
        for name in R8:
            for frame in (1, 2):
                with open(os.fsencode(f"{place}/{name}.{frame:04}.exr"), "wb") as file:
                    file.write(b"x")
    seen = found(root)
    assert list(seen) == ["", R8[0], f"{R8[0]}/deeper"]
    for path in ("", f"{R8[0]}/deeper"):
        assert {each.head for each in seen[path].grouping.groups} == {f"{name}." for name in R8}
        assert {each.ranges.text for each in seen[path].grouping.groups} == {"1-2"}
    assert errors(root) == []


def test_R9_five_hundred_levels_are_walked_beyond_the_longest_path(root: Path) -> None:
    name = "a_directory_with_a_name"  # 500 of them make a path of 12,000 bytes
    descriptor = os.open(root, os.O_RDONLY)
    for _ in range(500):
        os.mkdir(name, dir_fd=descriptor)
        below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("deep.0001.exr", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    for threads in (1, 2):
        seen = found(root, threads=threads)
        assert len(seen) == 501
        assert errors(root, threads=threads) == []
        assert items(seen["/".join([name] * 500)]) == ["deep.####.exr 1"]
    shutil.rmtree(root)


def test_S15_temporary_files_and_dotfiles_are_evidence_and_no_items(root: Path) -> None:
    frames(root / "a", [1, 2])
    frames(root / "b", [1, 2])
    frames(root / "c", [1, 2])
    write(root / "a" / ".beauty.0003.exr.Xa81Qz")
    write(root / "b" / "beauty.0003.exr.part")
    write(root / "c" / ".DS_Store")
    growing = {path: each.grouping.groups for path, each in found(root).items() if path}
    assert {path: groups[0].growing_evidence for path, groups in growing.items()} == {
        "a": True, "b": True, "c": False,
    }  # fmt: skip
    assert everything(root)["a"] == everything(root)["c"] == ["beauty.####.exr 1-2"]


# -- what is left alone -------------------------------------------------------------------------------------


def test_ignored_names_and_ignored_directories_are_left_out(root: Path) -> None:
    for name in (".hidden.exr", "._a.exr", "Thumbs.db", "a.exr"):
        write(root / name)
    for directory in (".snapshot", "@eaDir", "lost+found", ".git"):
        write(root / directory / "b.exr")
    assert everything(root, all_files=True) == {"": ["a.exr"]}
    assert list(found(root)) == [""]


def test_ignore_files_count_for_their_directory_and_below(root: Path) -> None:
    write(root / ".kassettuiignore", b"*.jpg\r\nwip/\n!keep.jpg\n")
    write(root / "sh010" / ".kassettuiignore", b"/cache\n!special.jpg\n")
    for path in (
        "a.jpg", "a.exr", "keep.jpg", "wip/a.exr", "sh010/b.jpg", "sh010/special.jpg", "sh010/cache/c.exr",
        "sh010/deep/cache/d.exr", "sh010/wip.exr", "sh020/cache/e.exr", "sh020/special.jpg",
    ):  # fmt: skip
        write(root / path)
    assert everything(root) == {
        "": ["a.exr", "keep.jpg"],
        "sh010": ["special.jpg", "wip.exr"],
        "sh010/deep/cache": ["d.exr"],
        "sh020/cache": ["e.exr"],
    }
    assert everything(root, ignore=IgnoreRules.of(["keep.jpg", "sh0?0"])) == {"": ["a.exr", "keep.jpg"]}


def test_an_ignore_file_that_cannot_be_used_is_an_error_and_ignores_nothing(root: Path) -> None:
    frames(root / "a", [1, 2])
    write(root / "a" / ".kassettuiignore", b"!\n*.exr\n")
    (root / "b").mkdir()
    os.mkfifo(root / "b" / ".kassettuiignore")
    write(root / "b" / "x.exr")
    (root / "c").mkdir()
    (root / "c" / ".kassettuiignore").symlink_to(root / "b" / ".kassettuiignore")
    (root / "c" / "x.exr").touch()
    assert errors(root) == [
        ("a/.kassettuiignore", "bad_pattern", False),
        ("c/.kassettuiignore", "einval", False),
    ]
    assert set(everything(root)) == {"a", "b", "c"}


def test_patterns_of_a_collection_are_checked_before_anything_is_scanned() -> None:
    with pytest.raises(InvalidInput):
        IgnoreRules.of(["!"])


def test_pipes_sockets_and_devices_are_never_opened(root: Path) -> None:
    frames(root, [1])
    os.mkfifo(root / "pipe.0002.exr")
    os.mkfifo(root / "ref.mov")
    (root / "to_pipe.exr").symlink_to("ref.mov")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)
    try:
        listener.bind("socket.exr")
    finally:
        os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(root / "null.exr", 0o020666, os.makedev(1, 3))
    assert everything(root) == {"": ["beauty.####.exr 1"]}
    assert errors(root) == []
    listener.close()


def test_a_link_to_a_file_counts_as_that_file(root: Path) -> None:
    target = write(root / "store" / "real.exr", b"123456789")
    (root / "a.0001.exr").symlink_to(target)
    (root / "a.0002.exr").symlink_to("store/real.exr")
    (sequence,) = found(root)[""].grouping.groups
    assert (sequence.ranges.text, list(sequence.sizes or ())) == ("1-2", [9, 9])


def test_R9_broken_links_are_errors_of_their_own(root: Path) -> None:
    frames(root, [1])
    (root / "a.exr").symlink_to("nowhere.exr")
    (root / "b.exr").symlink_to("c.exr")
    (root / "c.exr").symlink_to("b.exr")
    assert errors(root) == [
        ("a.exr", "broken_link", False), ("b.exr", "link_loop", False), ("c.exr", "link_loop", False),
    ]  # fmt: skip
    assert everything(root) == {"": ["beauty.####.exr 1"]}


def test_linked_directories_are_followed_only_when_asked(root: Path, tmp_path: Path) -> None:
    frames(tmp_path / "elsewhere" / "deep", [1, 2])
    (root / "link").symlink_to(tmp_path / "elsewhere")
    assert everything(root) == {}
    assert everything(root, follow_symlinks=True) == {"link/deep": ["beauty.####.exr 1-2"]}
    assert everything(root, follow_symlinks=True, threads=3) == {"link/deep": ["beauty.####.exr 1-2"]}


def test_R9_loops_of_links_are_cut(root: Path) -> None:
    frames(root / "a" / "b", [1])
    (root / "a" / "b" / "up").symlink_to(root / "a")
    (root / "a" / "self").symlink_to(".")
    (root / "other").mkdir()
    (root / "other" / "to_a").symlink_to(root / "a")
    (root / "a" / "to_other").symlink_to(root / "other")
    seen = found(root, follow_symlinks=True)
    assert list(seen) == [
        "", "a", "a/b", "a/to_other", "other", "other/to_a", "other/to_a/b",
    ]  # fmt: skip
    cut = [warning for each in seen.values() for warning in each.warnings]
    assert len(cut) == 6
    assert errors(root, follow_symlinks=True) == []


def test_a_maze_of_links_ends(root: Path, tmp_path: Path) -> None:
    for level in range(12):
        (tmp_path / f"level{level}").mkdir()
        (tmp_path / f"level{level}" / "next").symlink_to(tmp_path / f"level{level + 1}")
    (tmp_path / "level12").mkdir()
    (root / "next").symlink_to(tmp_path / "level0")
    assert len(found(root, follow_symlinks=True)) == 9


def test_a_link_to_a_file_of_no_use_is_left_out(root: Path) -> None:
    write(root / "notes.txt")
    (root / "latest").symlink_to("notes.txt")
    assert everything(root, follow_symlinks=True) == {}
    assert sorted(everything(root, follow_symlinks=True, all_files=True)[""]) == ["latest", "notes.txt"]


# -- scopes -------------------------------------------------------------------------------------------------


def opened(*arguments: str) -> list[str]:
    """The paths that a scan in a process of its own opens, lists or looks at, below the root."""
    watcher = """
import os, sys
from kassettui.ingest.scan import scan
seen = []
def hook(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, bytes)):
        seen.append(os.fsdecode(arguments[0]))
sys.addaudithook(hook)
for scanned in scan(sys.argv[1], scopes=sys.argv[2:]):
    pass
print("\\n".join(seen))
"""
    done = subprocess.run(
        [sys.executable, "-c", watcher, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_I3_directories_outside_the_scope_are_never_opened(root: Path) -> None:
    for shot in ("sh010/comp", "sh010/light", "sh020/comp"):
        frames(root / shot, [1, 2])
    assert list(found(root, scopes=["sh010/comp"])) == ["sh010/comp"]
    touched = opened(str(root), "sh010/comp")
    assert "sh010/comp" in touched
    assert [path for path in touched if "sh020" in path or "light" in path] == []
    assert "sh010" not in touched


def test_I3_scopes_are_walked_once_and_in_order(root: Path) -> None:
    for shot in ("a", "a/b", "a-b", "c"):
        frames(root / shot, [1])
    assert list(found(root, scopes=["c", "a/b", "a", "a"])) == ["a", "a/b", "c"]
    assert list(found(root, scopes=["c", ""])) == ["", "a", "a/b", "a-b", "c"]
    assert list(found(root, scopes=["c", "a"], threads=4)) == ["a", "a/b", "c"]


def test_ignore_files_above_a_scope_count_in_it(root: Path) -> None:
    write(root / ".kassettuiignore", b"*.jpg\n")
    write(root / "a" / ".kassettuiignore", b"old\n")
    for path in ("a/b/x.jpg", "a/b/x.exr", "a/old/y.exr"):
        write(root / path)
    assert everything(root, scopes=["a/b"]) == {"a/b": ["x.exr"]}
    assert errors(root, scopes=["a/old"]) == [("a/old", "ignored", True)]
    assert errors(root, scopes=[".git/x"]) == [(".git", "ignored", True)]


def test_a_scope_that_is_not_there_is_an_error_and_a_missing_root_an_exception(root: Path) -> None:
    frames(root, [1])
    assert errors(root, scopes=["gone"]) == [("gone", "vanished", True)]
    assert errors(root, scopes=["beauty.0001.exr"]) == [("beauty.0001.exr", "not_a_directory", True)]
    with pytest.raises(FileNotFoundError):
        list(scan(str(root / "gone")))


def test_a_scope_through_a_link_is_what_a_whole_scan_sees(root: Path) -> None:
    frames(root / "real" / "b", [1])
    (root / "link").symlink_to("real")
    for scope in ("link", "link/b"):
        assert errors(root, scopes=[scope]) == [("link", "link", True)]
    assert everything(root, scopes=["link/b"], follow_symlinks=True) == {"link/b": ["beauty.####.exr 1"]}


def test_a_root_may_be_a_link_or_hidden(tmp_path: Path) -> None:
    frames(tmp_path / ".real", [1])
    (tmp_path / "root").symlink_to(".real")
    assert everything(tmp_path / "root") == everything(tmp_path / ".real") == {"": ["beauty.####.exr 1"]}


# -- what goes wrong ----------------------------------------------------------------------------------------


def test_I21_a_directory_that_may_not_be_read_is_an_error_and_the_scan_goes_on(root: Path) -> None:
    os.chmod(root, 0o755)
    for shot in ("a", "b", "c"):
        frames(root / shot, [1])
    os.chmod(root / "b", 0)
    walk = scan(str(root), threads=1)
    seen = [next(walk)]  # the root is opened by somebody who may pass the directories above it
    with without_privileges():
        seen += walk
    os.chmod(root / "b", 0o755)
    assert [each.path for each in seen] == ["", "a", "b", "c"]
    (error,) = [error for each in seen for error in each.errors]
    assert (error.path, error.code, error.message, error.directory) == (
        "b", "permission_denied", "Permission denied", True,
    )  # fmt: skip


def test_R4_files_that_vanish_in_mid_scan_are_errors_temporary_ones_are_not(root: Path) -> None:
    frames(root, range(1, 600))

    def vanish() -> None:
        (root / "beauty.0590.exr").unlink()
        (root / "beauty.0595.exr").unlink()
        (root / "beauty.0595.exr").mkdir()

    seen = found(root, threads=1, control=AtCheckpoint(2, vanish))
    assert [(error.path, error.code) for error in seen[""].errors] == [
        ("beauty.0590.exr", "vanished"),
        ("beauty.0595.exr", "changed"),
    ]
    assert items(seen[""]) == ["beauty.####.exr 1-589,591-594,596-599"]

    (root / "beauty.0700.part.exr").touch()
    control = AtCheckpoint(2, (root / "beauty.0700.part.exr").unlink)
    assert [error.code for error in found(root, threads=1, control=control)[""].errors] == []


def test_R4_a_directory_that_vanishes_in_mid_scan_is_an_error(root: Path) -> None:
    for shot in ("a", "b", "c"):
        frames(root / shot, [1])
    control = AtCheckpoint(2, lambda: shutil.rmtree(root / "b"))
    seen = found(root, threads=1, control=control)
    assert [(error.path, error.code, error.directory) for error in seen["b"].errors] == [
        ("b", "vanished", True)
    ]
    assert items(seen["c"]) == ["beauty.####.exr 1"]


def test_I3_a_directory_that_becomes_a_link_in_mid_scan_is_not_followed(root: Path, tmp_path: Path) -> None:
    frames(tmp_path / "secret", [1])
    (root / "a").mkdir()

    def swap() -> None:
        (root / "a").rmdir()
        (root / "a").symlink_to(tmp_path / "secret")

    seen = found(root, threads=1, control=AtCheckpoint(2, swap))
    assert items(seen["a"]) == []
    assert [error.directory for error in seen["a"].errors] == [True]


class Stop(Exception):
    """Raised by a control."""


def raise_stop() -> None:
    raise Stop


@pytest.mark.parametrize("number", [1, 2, 5, 9])
@pytest.mark.parametrize("threads", [1, 4])
def test_I22_a_scan_stops_at_any_checkpoint_and_lets_everything_go(
    root: Path, number: int, threads: int
) -> None:
    for shot in range(12):
        frames(root / f"sh{shot:03}", range(3))
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(Stop):
        list(scan(str(root), threads=threads, control=AtCheckpoint(number, raise_stop)))
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_scan_that_is_not_read_to_its_end_lets_everything_go(root: Path) -> None:
    for shot in range(12):
        frames(root / f"sh{shot:03}", range(3))
    before = set(os.listdir("/proc/self/fd"))
    for threads in (1, 4):
        walk = scan(str(root), threads=threads)
        next(walk)
        walk.close()  # type: ignore[attr-defined]
        assert set(os.listdir("/proc/self/fd")) <= before


# -- what it costs ------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the calls")
def test_one_stat_a_file_and_none_for_what_is_ignored(root: Path) -> None:
    write(root / ".kassettuiignore", b"*.jpg\n")
    frames(root / "a", range(1, 30))
    ignored = [
        "a/left.jpg",
        ".hidden.exr",
        "Thumbs.db",
        "a/script.nk",
        "lost+found/x.exr",
        "a/x.0001.exr.part",
    ]
    for path in ignored:
        write(root / path)
    (root / "empty").mkdir()
    os.mkfifo(root / "a" / "pipe.exr")
    log = root.parent / "calls"
    code = "import sys; from kassettui.ingest.scan import scan; list(scan(sys.argv[1]))"
    traced = ["strace", "-f", "-o", str(log), "-e", "trace=/stat,/open"]
    subprocess.run([*traced, sys.executable, "-c", code, str(root)], check=True, capture_output=True)
    calls = calls_of(log.read_text(), root)
    stats = [name for call, name in calls if "stat" in call]
    assert sorted(name for name in stats if name.endswith(".exr")) == [
        f"beauty.{frame:04}.exr" for frame in range(1, 30)
    ]
    left_alone = {os.path.basename(path) for path in ignored} | {"pipe.exr", "lost+found"}
    assert left_alone.isdisjoint(name for _, name in calls)
    assert sorted(name for call, name in calls if call.startswith("open")) == [
        ".", ".kassettuiignore", "a", "empty",
    ]  # fmt: skip


def calls_of(log: str, root: Path) -> Sequence[tuple[str, str]]:
    """(call, name) of the calls that name something below the open root."""
    below = log[log.index(f'"{root}"') :]
    return re.findall(r'(\w+)\((?!AT_FDCWD)\d+, "([^"]+)"', below)
