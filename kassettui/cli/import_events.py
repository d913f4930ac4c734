"""An import while it runs: its events as a progress display, as JSON lines, as notes (I26, I27)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import wording
from kassettui.cli.background import in_background
from kassettui.cli.enriching import standing_enrichers
from kassettui.cli.output import SCHEMA_VERSION
from kassettui.cli.people import Warnings
from kassettui.ingest.importing import run_import
from kassettui.ingest.progress import Decided, Finished, Progressed, Started, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.cli.invocation import Invocation
    from kassettui.cli.progress import Progress
    from kassettui.ingest.progress import Event
    from kassettui.ingest.report import Report
    from kassettui.ingest.request import ImportRequest
    from kassettui.jobs.control import Control
    from kassettui.library.library import Library
    from kassettui.workspace import Workspace

_PROGRESS_EVERY: Final = 1.0  # seconds between two progress lines (I27)


def run_watched(invocation: Invocation, workspace: Workspace, request: ImportRequest) -> Report:
    """Run one import as a job while its events are told; the report whatever happened."""

    library = _library(workspace)
    enrichers = standing_enrichers(workspace)

    def work(control: Control, tell: Callable[[Event], None]) -> Report:
        chatty = invocation.streams or invocation.people.verbose

        def observe(event: Event) -> None:
            if chatty or not isinstance(event, Decided):  # millions of them, if nobody reads them
                tell(event)

        return run_import(library, request, enrichers=enrichers, control=control, observer=observe)

    title = f"import {request.path or request.collection}"
    with invocation.people.progress("import") as shown:
        heard = _Watcher(invocation, shown)
        try:
            return in_background(
                invocation.interruption, workspace.jobs, title, work, heard, kind="import", queue="scan"
            )
        finally:
            heard.warnings.end()


def _library(workspace: Workspace) -> Library | None:
    """The library; None for a dry run where there is none yet."""
    if workspace.read_only and not workspace.library_path.exists():
        return None
    return workspace.library


class _Watcher:
    """Hears the events of one import and passes them on to who reads."""

    def __init__(self, invocation: Invocation, shown: Progress | None) -> None:
        self._people = invocation.people
        self.warnings = Warnings(invocation.people)
        self._output = invocation.output
        self._streams = invocation.streams
        self._shown = shown
        self._next_line = 0.0

    def __call__(self, event: Event) -> None:
        """One event."""
        match event:
            case Progressed():
                self._progressed(event)
            case Warned():
                self.warnings.add(f"{event.path}: {event.message}" if event.path else event.message)
                self._line("warning", code=event.code, message=event.message, path=event.path)
            case Decided():
                self._people.detail(f"{event.decision}: {event.path} ({event.reason})")
                self._line(
                    "decision",
                    decision=event.decision,
                    reason=event.reason,
                    path=event.path,
                    previous=event.previous,
                )
            case Started():
                self._people.detail(f"{event.collection} at {event.root}")
                self._line(
                    "start",
                    collection=event.collection,
                    collection_id=event.collection_id,
                    root=event.root,
                    dry_run=event.dry_run,
                )
            case Finished():
                pass  # the report is the run's answer

    def _progressed(self, event: Progressed) -> None:
        if self._shown is not None:
            self._shown.update(
                str(event.phase),
                event.done,
                event.total,
                done_bytes=event.bytes,
                current=event.current,
                note=wording.plural(event.frames, "frame") if event.frames else "",
            )
        now = time.monotonic()
        if now < self._next_line:
            return
        self._next_line = now + _PROGRESS_EVERY
        self._line(
            "progress",
            phase=event.phase,
            done=event.done,
            total=event.total,
            frames=event.frames,
            bytes=event.bytes,
        )

    def _line(self, kind: str, **fields: Any) -> None:
        if self._streams:
            self._output.event({"schema_version": SCHEMA_VERSION, "type": kind, **fields})
