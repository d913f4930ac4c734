"""Edits that show at once and go back when the library refuses them (T2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.library import approval, ratings, tags
from kassettui.tui.lanes import when_written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from kassettui.core.errors import KassettuiError
    from kassettui.library.library import Library
    from kassettui.tui.lanes import Deliver
    from kassettui.tui.library.asset_list import AssetList
    from kassettui.tui.library.questions import Row


class Edits:
    """Writes to the library, seen in the list before they are done."""

    def __init__(
        self, shown: AssetList, deliver: Deliver, complain: Callable[[KassettuiError], None]
    ) -> None:
        self._shown = shown
        self._deliver = deliver
        self._complain = complain

    def rate(self, library: Library, ids: Sequence[int], rating: int | None) -> None:
        """Give them this rating; None takes it away."""
        self._edit(
            ids,
            lambda row: row._replace(asset=row.asset._replace(rating=rating)),
            library.operator.schedule_write(ratings.set_rating, list(ids), rating),
        )

    def approve(self, library: Library, ids: Sequence[int]) -> None:
        """Approve them, or take that back where all that are seen are approved."""
        known = self._shown.known(ids).values()
        yes = not known or not all(row.asset.approved_for_broadcast for row in known)
        self._edit(
            ids,
            lambda row: row._replace(asset=row.asset._replace(approved_for_broadcast=yes)),
            library.operator.schedule_write(approval.approve if yes else approval.unapprove, list(ids)),
        )

    def tag(self, library: Library, ids: Sequence[int], text: str) -> None:
        """Names separated by commas are put on, those with a `-` before them taken off."""
        names = [name.strip() for name in text.split(",") if name.strip()]
        taken = [name[1:].strip() for name in names if name.startswith("-")]
        put = [name for name in names if not name.startswith("-")]
        if put:
            self._edit(
                ids,
                lambda row: row._replace(tags=(*row.tags, *(name for name in put if name not in row.tags))),
                library.operator.schedule_write(tags.add, list(ids), put),
            )
        if taken:
            self._edit(
                ids,
                lambda row: row._replace(tags=tuple(name for name in row.tags if name not in taken)),
                library.operator.schedule_write(tags.remove, list(ids), taken),
            )

    def _edit(self, ids: Sequence[int], change: Callable[[Row], Row], written: Future[object]) -> None:
        before = self._shown.known(ids)
        self._shown.put({id_: change(row) for id_, row in before.items()})

        def failed(error: KassettuiError) -> None:
            self._shown.put(before)
            self._complain(error)

        when_written(written, self._deliver, lambda _: None, failed)
