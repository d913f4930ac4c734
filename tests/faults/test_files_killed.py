"""R1 for file work: `kill -9` at every call that changes something, and at random moments.

After any of them: every item is whole on one side at least, nothing partial stands under a final name, resume
ends what was begun, undo brings the tree back bit for bit. A few points of each sweep always run; all of them
with the mark `faults`.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.files.conftest import mounted
from tests.files.trees import Node, frames, picture, write

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS: dict[str, dict[str, Any]] = {
    "copy": {"operation": "copy"},
    "copy over": {"operation": "copy", "policy": "overwrite"},
    "copy with mhl": {"operation": "copy", "mhl": True, "policy": "overwrite"},
    "copy a sequence": {"operation": "copy-sequence"},
    "copy a sequence over another": {"operation": "copy-sequence", "policy": "overwrite"},
    "move across devices": {"operation": "move-across"},
    "move across devices over": {"operation": "move-across", "policy": "overwrite"},
    "move within a device": {"operation": "move-within", "policy": "overwrite"},
    "renumber up": {"operation": "renumber", "offset": 1},
    "renumber down": {"operation": "renumber", "offset": -2},
    "bulk rename": {"operation": "rename"},
    "trash": {"operation": "trash"},
}


class Stage:
    """A tree, a library, and the server that runs operations on them in children."""

    def __init__(self, top: Path, other: Path, server: subprocess.Popen[str]) -> None:
        self.top, self.other, self.server = top, other, server
        self.place = top / "place"
        self.library = top / "library" / "library.db"

    def build(self, size: int = 60) -> None:
        """The tree as every run finds it."""
        for path in (self.place, self.library.parent, self.top / "data"):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(mode=0o700)
        for path in self.other.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        frames(self.place / "a", last=1006, size=size)
        write(self.place / "a" / "deep" / "notes.txt", "notes" * size)
        os.link(self.place / "a" / "deep" / "notes.txt", self.place / "a" / "twin.txt")
        os.symlink("deep/notes.txt", self.place / "a" / "link")
        os.utime(self.place / "a" / "link", ns=(10**18, 10**18), follow_symlinks=False)
        (self.place / "a" / "hollow").mkdir()
        for frame in (1002, 1004):
            write(self.place / "b" / f"beauty.{frame}.exr", f"old {frame}", mtime=frame)
            write(self.place / "b" / "a" / f"beauty.{frame}.exr", f"older {frame}", mtime=frame)
            write(self.other / "a" / f"beauty.{frame}.exr", f"other {frame}", mtime=frame)
        for name in ("x", "y", "z", "p", "q", "alone"):
            write(self.place / "r" / name, f"content of {name}")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have a child do something."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        fields = {"place": f"{self.place}", "other": f"{self.other}", "library": f"{self.library}", **request}
        self.server.stdin.write(json.dumps(fields) + "\n")
        self.server.stdin.flush()
        answer: dict[str, Any] = json.loads(self.server.stdout.readline())
        return answer

    def picture(self) -> dict[str, Node]:
        """Both places, without the trash and the mark of time in manifests."""
        here = {f"place/{path}": node for path, node in picture(self.place).items()}
        there = {
            f"other/{path}": node
            for path, node in picture(self.other).items()
            if not path.startswith(".Trash")
        }
        return {**here, **there}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    top = tmp_path_factory.mktemp("killed")
    environment = {**os.environ, "XDG_DATA_HOME": f"{top}/data", "HOME": f"{top}"}
    with mounted(top / "other", "size=100m") as is_mounted:
        if not is_mounted:
            pytest.skip("no tmpfs can be mounted here")
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.faults.files_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "PYTHONPATH": f"{Path(__file__).parents[2]}"},
        )
        try:
            yield Stage(top, top / "other", server)
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait(30)
            assert server.stdout is not None
            server.stdout.close()


def without_manifests(tree: dict[str, Node]) -> dict[str, Node]:
    """A generation of ASC MHL has its time in it: that it is there is enough."""
    return {path: node for path, node in tree.items() if "ascmhl" not in path}


def differing(one: dict[str, Node], other: dict[str, Node]) -> list[str]:
    """The paths that are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def contents(tree: dict[str, Node]) -> list[bytes]:
    """Every content that stands under a name of its own, not under a temp's."""
    return [
        node.content
        for path, node in tree.items()
        if node.kind == "file"
        and not os.path.basename(path).endswith((".part", ".old"))
        and "ascmhl" not in path
    ]


def check_nothing_partial(tree: dict[str, Node], before: dict[str, Node], after: dict[str, Node]) -> None:
    """Whatever stands under a final name is a whole file of the tree before or after."""
    known = set(contents(before)) | set(contents(after))
    partial = [content for content in contents(tree) if content not in known]
    assert not partial, partial


def check_nothing_lost(tree: dict[str, Node], trash: list[bytes], before: dict[str, Node]) -> None:
    """Every content of the tree before stands somewhere still."""
    here = set(contents(tree)) | set(trash)
    lost = [content for content in contents(before) if content not in here]
    assert not lost, lost


def trash_contents(stage: Stage) -> list[bytes]:
    found = []
    for top in (stage.top / "data", stage.other / f".Trash-{os.getuid()}"):
        found += [
            path.read_bytes() for path in top.rglob("files/**/*") if path.is_file() and not path.is_symlink()
        ]
    return found


def expected(
    stage: Stage, operation: dict[str, Any], **build: int
) -> tuple[dict[str, Node], dict[str, Node], int]:
    """(the tree before, the tree after an undisturbed run, how many changing calls that took)."""
    stage.build(**build)
    before = stage.picture()
    answer = stage.ask(do="run", **operation)
    assert answer["ok"], answer["error"]
    return before, stage.picture(), answer["calls"]


def check_kill(
    stage: Stage,
    operation: dict[str, Any],
    kill: dict[str, Any],
    way: str,
    before: Any,
    after: Any,
    **build: int,
) -> bool:
    """One kill and the way out of it; whether it fired."""
    stage.build(**build)
    answer = stage.ask(do="run", **operation, **kill)
    if not answer["killed"]:
        assert answer["ok"], answer["error"]
        return False
    killed = stage.picture()
    check_nothing_partial(killed, before, after)
    check_nothing_lost(killed, trash_contents(stage), before)
    answer = stage.ask(do=way)
    assert answer["ok"], answer["error"]
    found = stage.picture()
    reached = [after if way == "resume" else before]
    targets = reached if answer["was_open"] else [before, after]  # else it had not begun, or was over
    differences = [differing(without_manifests(found), without_manifests(target)) for target in targets]
    assert [] in differences, (kill, way, answer, differences)
    return True


@pytest.mark.parametrize("name", OPERATIONS)
def test_R1_killed_at_some_calls(stage: Stage, name: str) -> None:
    operation = OPERATIONS[name]
    before, after, calls = expected(stage, operation)
    points = sorted({1, 2, calls // 3, calls // 2, calls - 3, calls - 1})
    for point, way in zip(points, itertools.cycle(("resume", "undo"))):
        assert check_kill(stage, operation, {"kill_at": point}, way, before, after)


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_R1_killed_at_every_call(stage: Stage, name: str, way: str) -> None:
    operation = OPERATIONS[name]
    before, after, calls = expected(stage, operation)
    fired = sum(
        check_kill(stage, operation, {"kill_at": point}, way, before, after) for point in range(1, calls + 2)
    )
    assert fired >= calls - 2  # threads may need a call or two less


def random_kills(stage: Stage, name: str, count: int, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    operation = OPERATIONS[name]
    build = {"size": 200_000} if "copy" in name or "across" in name else {}
    before, after, _ = expected(stage, operation, **build)
    stage.build(**build)
    seconds = stage.ask(do="run", **operation)["seconds"]
    fired = 0
    for number in range(count):
        kill = {"kill_after": chance.uniform(0, seconds)}
        fired += check_kill(stage, operation, kill, ("resume", "undo")[number % 2], before, after, **build)
    assert fired


@pytest.mark.parametrize("name", ["copy", "move across devices", "renumber up", "bulk rename"])
def test_R1_killed_at_a_few_random_moments(stage: Stage, name: str) -> None:
    random_kills(stage, name, 6, random.SystemRandom().randrange(2**32))


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", OPERATIONS)
def test_R1_killed_at_a_hundred_random_moments(stage: Stage, name: str) -> None:
    random_kills(stage, name, 100, random.SystemRandom().randrange(2**32))


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("name", ["copy over", "move across devices", "renumber up", "bulk rename", "trash"])
def test_R1_killed_again_while_it_is_being_mended(stage: Stage, name: str, way: str) -> None:
    operation = OPERATIONS[name]
    before, after, calls = expected(stage, operation)
    for point in range(1, 60, 3):
        stage.build()
        if not stage.ask(do="run", **operation, kill_at=calls // 2)["killed"]:
            continue
        stage.ask(do=way, kill_at=point)
        check_nothing_partial(stage.picture(), before, after)
        check_nothing_lost(stage.picture(), trash_contents(stage), before)
        for _ in range(4):
            answer = stage.ask(do="resume")
            if not answer.get("was_open"):
                break
        found = stage.picture()
        assert found in (before, after), point
