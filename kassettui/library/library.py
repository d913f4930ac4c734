"""The library: one open file of assets and all that hangs on them (design: library/).

What can be asked and changed are functions in the repositories (`assets`, `folders`, `runs`…), database
first: `library.read(search.page, …)`, `library.write(collections.create, …)`. One function is one unit of
work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from kassettui.core.text import safe
from kassettui.library import migrate
from kassettui.library.models import MODELS
from kassettui.library.opening import open_operator
from kassettui.library.work import Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from kassettui.library.events import Events
    from kassettui.library.migrate import Migrated, Schema
    from kassettui.library.operator import Limits, Operator
    from kassettui.observe.metrics import Metrics

T = TypeVar("T")

APPLICATION_ID: Final = 0x4B535454
"""`PRAGMA application_id` of a library: "KSTT"."""

SCHEMA: Final[Schema] = migrate.Schema(
    title="library",
    application_id=APPLICATION_ID,
    steps=migrate.steps_of("kassettui.library.migrations"),
    tables=frozenset(model._meta.table_name for model in MODELS) | {"assets_fts"},
    triggers=frozenset(
        {
            "assets_fts_insert",
            "assets_fts_delete",
            "assets_fts_update",
            "folders_root_stays",
            "folders_root_keeps_place",
            "folders_no_cycle",
        }
    ),
)


class Library:
    """An open library. A context manager; closing twice is fine."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    @classmethod
    def open(
        cls,
        path: str,
        *,
        create: bool = False,
        read_only: bool = False,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
    ) -> Self:
        """Open the library at `path`; make it if `create` and there is none; migrate it unless `read_only`.

        Raises NotFound, LibraryCorrupt, LibraryTooNew, MigrationFailed, LibraryUnavailable, LibraryBusy,
        Refused.
        """
        return cls(
            open_operator(path, SCHEMA, create=create, read_only=read_only, limits=limits, metrics=metrics)
        )

    @property
    def path(self) -> str:
        """The library's file, symbolic links resolved."""
        return self.operator.path

    @property
    def events(self) -> Events:
        """Who wants to know what changed subscribes here."""
        return self.operator.events

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the place where the library stands."""
        place = self.operator.place
        told = []
        if place.network:
            told.append(
                f"The library {safe(self.path)} lies on {place.filesystem}, which hosts may share: "
                "write-ahead logging is off. A local disk is faster and safer."
            )
        elif self.operator.journal_warning is not None:
            told.append(f"The library {safe(self.path)}: {self.operator.journal_warning}.")
        return tuple(told)

    def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(db, *arguments)` on a read-only snapshot, at once, on this thread."""
        return self.operator.execute_sync_read(function, *arguments)

    def write(
        self,
        function: Callable[..., T],
        *arguments: Any,
        full: bool = False,
        priority: Priority = Priority.NORMAL,
    ) -> T:
        """`function(db, *arguments)` in a transaction.

        Returns after its COMMIT. `full`: survives a power cut.
        """
        return self.operator.schedule_write(function, *arguments, full=full, priority=priority).result()

    def migrate(self, to: int | None = None) -> Migrated:
        """Move the schema to version `to` (the newest).

        The library is closed afterwards unless that is the newest.
        """
        done = migrate.migrate(self.operator, SCHEMA, to)
        if done.after != SCHEMA.latest:
            self.close()
        return done

    def close(self, timeout: float = 10.0) -> bool:
        """Write what is queued, for at most `timeout` seconds, and close. Whether everything ended."""
        return self.operator.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
