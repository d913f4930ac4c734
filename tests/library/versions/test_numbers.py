"""Numbers are never reused, whatever happens to versions: a library against a plain model (V2–V5, R13)."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kassettui.core.errors import KassettuiError
from kassettui.library import versions
from kassettui.library.library import Library
from kassettui.library.versions import Data, DataKind, Operation, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.engine import LibraryDatabase

ENTITIES = ("a", "b")
entity = st.sampled_from(ENTITIES)


class Group:
    """What a version group is, without a database."""

    def __init__(self) -> None:
        self.head = 0
        self.best = 0
        self.locked = False
        self.live: dict[int, dict[str, int]] = {}
        self.approved: set[int] = set()
        self.given: list[int] = []

    def add(self, *, set_best: bool) -> int:
        first = self.head == 0
        self.head += 1
        self.live[self.head] = {}
        self.given.append(self.head)
        if first or (set_best and not self.locked and self.best not in self.approved):
            self.best = self.head
        return self.head


class Numbers(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.library = Library.open(f"{self.directory.name}/library.db", create=True)
        self.model = {name: Group() for name in ENTITIES}

    def teardown(self) -> None:
        self.library.close()
        self.directory.cleanup()

    def scope(self, *names: str) -> Scope:
        return Scope("p", "shot", names)

    def id_of(self, name: str, number: int) -> int:
        [found] = self.library.read(versions.versions_by_number, self.scope(name), "k", [number])
        assert found is not None
        return found.id

    def refused(self, work: Callable[[LibraryDatabase], object]) -> bool:
        try:
            self.library.write(lambda db: work(db) and None)
        except KassettuiError:
            return True
        return False

    @rule(names=st.permutations(ENTITIES), set_best=st.booleans(), wrong=st.booleans())
    def create(self, names: list[str], set_best: bool, wrong: bool) -> None:
        data = [Data(DataKind.TEXT, "x")] * (len(names) + wrong)
        failed = self.refused(
            lambda db: versions.create_versions(db, self.scope(*names), "k", "text", data, None, set_best)
        )
        assert failed is wrong
        if not wrong:
            for name in names:
                self.model[name].add(set_best=set_best)

    @rule(plan=st.lists(st.tuples(entity, st.booleans(), st.booleans()), max_size=4))
    def batch(self, plan: list[tuple[str, bool, bool]]) -> None:
        operations = [
            Operation(
                self.scope(name), "k", "nonsense" if bad else "text", (Data(DataKind.TEXT, ""),), {}, best
            )
            for name, best, bad in plan
        ]
        result = self.library.write(versions.batch_create_versions, operations)
        assert [one.index for one in result.errors] == [n for n, (_, _, bad) in enumerate(plan) if bad]
        expected = [self.model[name].add(set_best=best) for name, best, bad in plan if not bad]
        assert [one.number for one in result.versions] == expected

    @rule(name=entity, number=st.integers(0, 6))
    def set_best(self, name: str, number: int) -> None:
        group = self.model[name]
        failed = self.refused(lambda db: versions.set_best(db, self.scope(name), "k", [number]))
        allowed = group.head > 0 and (number == 0 or number in group.live)
        allowed = allowed and (not group.locked or number == group.best)
        assert failed is not allowed
        if allowed:
            group.best = number

    @precondition(lambda self: any(group.live for group in self.model.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name in ENTITIES if self.model[name].live]))
        group = self.model[name]
        number = data.draw(st.sampled_from(sorted(group.live)))
        id_ = self.id_of(name, number)
        failed = self.refused(lambda db: versions.delete_versions(db, [id_]))
        kept = number == group.best or number in group.approved
        assert failed is kept
        if not kept:
            del group.live[number]

    @precondition(lambda self: any(group.live for group in self.model.values()))
    @rule(data=st.data(), approved=st.booleans())
    def approve(self, data: st.DataObject, approved: bool) -> None:
        name = data.draw(st.sampled_from([name for name in ENTITIES if self.model[name].live]))
        group = self.model[name]
        number = data.draw(st.sampled_from(sorted(group.live)))
        self.library.write(versions.approve_versions, [self.id_of(name, number)], approved)
        (group.approved.add if approved else group.approved.discard)(number)

    @precondition(lambda self: any(group.head for group in self.model.values()))
    @rule(data=st.data(), locked=st.booleans())
    def lock(self, data: st.DataObject, locked: bool) -> None:
        name = data.draw(st.sampled_from([name for name in ENTITIES if self.model[name].head]))
        [found] = self.library.read(
            lambda db: [g for g in versions.listed(db) if g.key.entity == name]  # rows are read inside
        )
        self.library.write(versions.lock_best, [found.id], locked)
        self.model[name].locked = locked

    @rule(name=entity, number=st.integers(1, 6), value=st.integers())
    def describe(self, name: str, number: int, value: int) -> None:
        live = self.model[name].live
        failed = self.refused(
            lambda db: versions.update_version_metadata(db, self.scope(name), "k", [number], {"n": value})
        )
        assert failed is (number not in live)
        if not failed:
            live[number] = {"n": value}

    @invariant()
    def the_library_is_what_the_model_is(self) -> None:
        everyone = self.scope(*ENTITIES)
        found = self.library.read(versions.all_versions, everyone, "k")
        best = self.library.read(versions.best_versions, everyone, "k")
        following = self.library.read(versions.next_version_number, everyone, "k")
        for name, each, good, number in zip(ENTITIES, found, best, following, strict=True):
            group = self.model[name]
            assert [(one.number, dict(one.metadata), one.approved) for one in each] == [
                (n, group.live[n], n in group.approved) for n in sorted(group.live, reverse=True)
            ]
            assert (good.number if good else 0) == group.best
            assert number == group.head + 1

    @invariant()
    def no_number_was_ever_given_twice(self) -> None:
        rows = self.library.read(
            lambda db: db.all(
                "SELECT g.entity, v.number FROM asset_versions v JOIN version_groups g ON g.id = v.group_id"
            )
        )
        for name in ENTITIES:
            given = self.model[name].given
            assert sorted(number for entity_, number in rows if entity_ == name) == given
            assert given == list(range(1, len(given) + 1))


TestNumbers = Numbers.TestCase
TestNumbers.settings = settings(max_examples=20, stateful_step_count=25)
