"""R13: file plans against a plain model of a tree, and undo after any sequence of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kassettui.core.errors import NotFound
from kassettui.files.disposing import mkdir_plan, trash_plan
from kassettui.files.listing import select
from kassettui.files.operations import FileOperations, failure_of
from kassettui.files.plan import Operation, Options, Policy
from kassettui.files.renaming import by_lines, wanted
from kassettui.files.sequences import names_plan, renumber_plan
from kassettui.jobs.control import Control
from kassettui.library.library import Library
from tests.files.trees import picture, plan, write

if TYPE_CHECKING:
    from kassettui.files.plan import Plan

NAMES = ["a", "b", "c", "d"]
FRAMES = range(1, 5)
POLICIES = [Policy.OVERWRITE, Policy.SKIP, Policy.KEEP_BOTH, Policy.MERGE, Policy.FAIL]


class Files(RuleBasedStateMachine):
    """Random jobs on a small tree; the disk, the model and the undo stack agree after each."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="kassettui-model-"))
        self.place = self.top / "place"
        self.place.mkdir()
        os.environ["XDG_DATA_HOME"] = f"{self.top / 'data'}"
        (self.top / "data").mkdir()
        self.library = Library.open(f"{self.top / 'library.db'}", create=True)
        self.files = FileOperations(self.library)
        self.states: list[dict[str, object]] = []  # the tree before each job that stands
        self.undone: list[dict[str, object]] = []

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self.top)

    def tree(self) -> dict[str, object]:
        return dict(picture(self.place))

    @initialize(contents=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    def fill(self, contents: list[str]) -> None:
        for number, name in enumerate(contents):
            write(self.place / name / "x", f"x of {name}", mtime=number)
            write(self.place / name / "deep" / "y", f"y of {name}", mtime=number)
            for frame in FRAMES:
                write(self.place / name / f"s.{frame:04d}.exr", f"{name} {frame}", mtime=frame)
        write(self.place / "file", "a file")

    def run(self, wanted: Plan) -> None:
        """A job: it does what it says, or nothing."""
        before = self.tree()
        if not wanted.runnable or not wanted.steps:
            return
        result = self.files.run(wanted, Control())
        assert failure_of(result) is None, result.failures
        self.states.append(before)
        self.undone.clear()
        for step in wanted.steps:
            if step.destination and ".kassettui" not in step.destination:
                assert os.path.lexists(step.destination) or any(
                    other.source == step.destination for other in wanted.steps
                )

    def paths(self) -> list[str]:
        return sorted(f"{self.place}/{path}" for path in self.tree())

    @precondition(lambda self: self.tree())
    @rule(data=st.data(), policy=st.sampled_from(POLICIES), into=st.booleans())
    def copy(self, data: st.DataObject, policy: Policy, into: bool) -> None:
        self.transfer(data, policy, into, Operation.COPY)

    @precondition(lambda self: self.tree())
    @rule(data=st.data(), policy=st.sampled_from(POLICIES), into=st.booleans())
    def move(self, data: st.DataObject, policy: Policy, into: bool) -> None:
        self.transfer(data, policy, into, Operation.MOVE)

    def transfer(self, data: st.DataObject, policy: Policy, into: bool, operation: Operation) -> None:
        source = data.draw(st.sampled_from(self.paths()))
        directories = [f"{self.place}", *(path for path in self.paths() if os.path.isdir(path))]
        destination = data.draw(st.sampled_from(directories))
        if not into:
            destination += f"/{data.draw(st.sampled_from([*NAMES, 'new']))}"
        before = self.tree()
        made = plan(operation, source, destination, policy)
        self.run(made)
        if made.runnable and made.steps and operation is Operation.COPY and policy is not Policy.OVERWRITE:
            after = self.tree()
            assert {path: after.get(path) for path in before} == before  # a copy takes nothing away

    @precondition(lambda self: self.tree())
    @rule(data=st.data())
    def trash(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.paths()), min_size=1, max_size=2, unique=True))
        chosen = [path for path in chosen if not any(path.startswith(f"{other}/") for other in chosen)]
        self.run(trash_plan(select(chosen), title="trash"))
        assert not any(os.path.lexists(path) for path in chosen)

    @rule(name=st.sampled_from([*NAMES, "e", "f"]))
    def mkdir(self, name: str) -> None:
        self.run(mkdir_plan([f"{self.place}/{name}/new"], title="mkdir", parents=True))

    @precondition(lambda self: self.tree())
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        """Everything of one directory under permuted names."""
        directory = data.draw(
            st.sampled_from([path for path in [f"{self.place}", *self.paths()] if os.path.isdir(path)])
        )
        names = sorted(os.listdir(directory))
        if not names:
            return
        entries = select([f"{directory}/{name}" for name in names], fold=False)
        new = data.draw(st.permutations(sorted({*names, "free"})))[: len(names)]
        before = self.tree()
        made = names_plan(
            Operation.RENAME, wanted(by_lines(entries, "\n".join(new) + "\n")), "rename", Options()
        )
        self.run(made)
        if made.runnable:
            inside = os.path.relpath(directory, self.place)
            renamed = dict(zip(names, new, strict=True))

            def moved(path: str) -> str:
                rest = os.path.relpath(path, inside) if inside != "." else path
                if inside != "." and not path.startswith(f"{inside}/"):
                    return path
                first, _, tail = rest.partition("/")
                named = f"{renamed[first]}/{tail}" if tail else renamed[first]
                return named if inside == "." else f"{inside}/{named}"

            assert self.tree() == {moved(path): node for path, node in before.items()}

    @precondition(lambda self: self.tree())
    @rule(data=st.data(), offset=st.integers(-3, 3))
    def renumber(self, data: st.DataObject, offset: int) -> None:
        found = sorted({os.path.dirname(path) for path in self.paths() if path.endswith(".exr")})
        if not found:
            return
        directory = data.draw(st.sampled_from(found))
        before = self.tree()
        try:
            entry = select([f"{directory}/s.#.exr"])[0]
            made = renumber_plan(entry, title="renumber", offset=offset)
        except NotFound:
            return
        self.run(made)
        if made.runnable:
            assert sorted(map(repr, self.tree().values())) == sorted(map(repr, before.values()))

    @precondition(lambda self: self.states)
    @rule()
    def undo(self) -> None:
        entry = self.files.undo_stack()[0]
        now = self.tree()
        made = self.files.undo_plan(entry)
        assert made is not None
        result = self.files.run(made, Control())
        assert failure_of(result) is None, result.failures
        assert self.tree() == self.states.pop()
        self.undone.append(now)

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self) -> None:
        before = self.tree()
        made = self.files.undo_plan(self.files.redo_stack()[0])
        assert made is not None
        result = self.files.run(made, Control())
        assert failure_of(result) is None, result.failures
        assert self.tree() == self.undone.pop()
        self.states.append(before)

    @invariant()
    def the_stack_is_as_deep_as_what_stands(self) -> None:
        assert len(self.files.undo_stack(1_000)) == len(self.states)

    @invariant()
    def no_temps_are_left(self) -> None:
        assert not [path for path in self.tree() if ".kassettui" in path]


TestFiles = Files.TestCase
TestFiles.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
