"""Plans for what a person asks, with what the library has to say about it: protection, locks, versions,
titles.

The makers of plans (`planning`, `sequences`, `renaming`, `disposing`) know disks only. What the library adds
are problems and reasons to leave things alone: locked collections keep their assets (F14), approved and best
assets are not thrown away or deleted (F11).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from kassettui.core.patterns import Notation, Pattern
from kassettui.files import disposing, renaming, sequences
from kassettui.files.plan import Answers, ItemKind, Operation, Options, Plan, Problem
from kassettui.files.planning import transfer_plan
from kassettui.library import protection
from kassettui.library.protection import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kassettui.files.listing import Entry
    from kassettui.files.renaming import Pair
    from kassettui.files.trash import Trashed
    from kassettui.jobs.reservations import Reservations
    from kassettui.library.library import Library

_NO_ANSWERS = Answers()
_DEFAULTS = Options()


def describe(entries: Sequence[Entry]) -> str:
    """What a person sees of a selection: its first name, and how many more."""
    first = entries[0]
    name = Pattern.of(first.group).text(Notation.NATIVE) if first.group is not None else first.name
    return f"{name} and {len(entries) - 1} more" if len(entries) > 1 else name


class Plans:
    """Makes plans over one library. `Plan.runnable` says whether anything stands in the way."""

    def __init__(self, library: Library | None, reservations: Reservations) -> None:
        """`library` None: for plans that are only looked at, where there is none yet."""
        self._library = library
        self._reserved: Callable[[int], int] = reservations.reserved

    def _standing(self, path: str) -> Standing:
        return self._library.read(protection.standing, path) if self._library is not None else Standing()

    def copy(
        self,
        entries: Sequence[Entry],
        destination: str,
        answers: Answers = _NO_ANSWERS,
        options: Options = _DEFAULTS,
    ) -> Plan:
        """Copy into a directory, or to a new name."""
        title = f"Copy {describe(entries)} to {destination}"
        return transfer_plan(
            Operation.COPY,
            entries,
            destination,
            title=title,
            answers=answers,
            options=options,
            reserved=self._reserved,
        )

    def move(
        self,
        entries: Sequence[Entry],
        destination: str,
        answers: Answers = _NO_ANSWERS,
        options: Options = _DEFAULTS,
    ) -> Plan:
        """Move into a directory, or to a new name."""
        title = f"Move {describe(entries)} to {destination}"
        plan = transfer_plan(
            Operation.MOVE,
            entries,
            destination,
            title=title,
            answers=answers,
            options=options,
            reserved=self._reserved,
        )
        return self._unlocked(plan)

    def rename(self, pairs: Sequence[Pair], options: Options = _DEFAULTS) -> Plan:
        """Give things other names where they are, all or none (F10). Raises InvalidInput for
        impossible names.
        """
        wanted = renaming.wanted(pairs)
        title = f"Rename {describe([entry for entry, _ in wanted])}" if wanted else "Rename nothing"
        return self._unlocked(sequences.names_plan(Operation.RENAME, wanted, title, options))

    def renumber(
        self,
        entry: Entry,
        *,
        offset: int = 0,
        start: int | None = None,
        padding: int | None = None,
        options: Options = _DEFAULTS,
    ) -> Plan:
        """Other frame numbers for a sequence (F9). Raises InvalidInput."""
        title = f"Renumber {describe([entry])}"
        return sequences.renumber_plan(
            entry, title=title, offset=offset, start=start, padding=padding, options=options
        )

    def version_up(
        self,
        entries: Sequence[Entry],
        known: Callable[[Entry], Iterable[int]] = lambda _: (),
        options: Options = _DEFAULTS,
    ) -> Plan:
        """Copies under the next free version (F9); `known`: versions of an entry that the library has."""
        title = f"Version up {describe(entries)}"
        return sequences.version_up_plan(
            entries, title=title, known=known, options=options, reserved=self._reserved
        )

    def mkdir(self, paths: Sequence[str], *, parents: bool = False) -> Plan:
        """Make directories."""
        return disposing.mkdir_plan(paths, title=f"Make {', '.join(paths)}", parents=parents)

    def trash(self, entries: Sequence[Entry], options: Options = _DEFAULTS) -> Plan:
        """Throw things into the trash; protected ones are left out, with the reason (F11)."""
        title, protected = f"Trash {describe(entries)}", self._protected(entries)
        return self._unlocked(
            disposing.trash_plan(entries, title=title, options=options, protected=protected)
        )

    def delete(
        self,
        entries: Sequence[Entry],
        options: Options = _DEFAULTS,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Plan:
        """Delete things for good; protected ones are left out, with the reason (F11)."""
        title, protected = f"Delete {describe(entries)}", self._protected(entries)
        return self._unlocked(
            disposing.delete_plan(
                entries, title=title, options=options, protected=protected, checkpoint=checkpoint
            )
        )

    def restore(
        self,
        things: Sequence[Trashed],
        to: str = "",
        answers: Answers = _NO_ANSWERS,
        options: Options = _DEFAULTS,
    ) -> Plan:
        """Bring things back from the trash, to where they were or into the directory `to`."""
        names = [os.path.basename(thing.original) for thing in things]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return disposing.restore_plan(
            things, title=f"Restore {names[0]}{more}", to=to, answers=answers, options=options
        )

    # -- what the library says ------------------------------------------------------------------------------

    def _protected(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Why things are not thrown away, by path."""
        reasons = {}
        for entry in entries:
            reason = self._standing(entry.path).protected
            if reason:
                inside = "contains " if entry.kind is ItemKind.DIRECTORY else ""
                reasons[entry.path] = f"protected: {inside}{reason}"
        return reasons

    def _unlocked(self, plan: Plan) -> Plan:
        """The plan with a problem for each locked collection that an asset would leave (F14)."""
        problems = []
        for item in plan.items:
            if item.skipped:
                continue
            for name, root in self._standing(item.source).locked:
                if not item.destination.startswith(root.rstrip("/") + "/"):
                    message = f"{item.source} holds assets of the collection {name}, which is locked."
                    remedy = f"kassettui collections edit {name} --unlock lets them go."
                    problems.append(Problem("locked", item.source, message, remedy))
        return replace(plan, problems=(*plan.problems, *problems)) if problems else plan
