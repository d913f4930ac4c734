"""What the log has of a run (spec: ingest I28): gates, plan, commit or rollback; bounded at info."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kassettui.core.decisions import Decision
from kassettui.core.errors import Interrupted, KassettuiError
from kassettui.ingest.progress import Decided
from kassettui.observe import log
from kassettui.observe.entries import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.ingest.apply import Applied
    from kassettui.ingest.plan import Plan, Target
    from kassettui.ingest.progress import Event, Observer
    from kassettui.ingest.report import Report
    from kassettui.ingest.source import Scope


class RunLog:
    """Writes one run's lines, and listens to its events on their way to the observer.

    A run that only tries (`writes` False) logs at debug alone, so that it leaves nothing on disk (I19).
    """

    def __init__(self, run_id: str, observer: Observer, *, writes: bool) -> None:
        self._log = log.get("import").bind(run=run_id)
        self._say = self._log.info if writes else self._log.debug
        self._observer = observer
        self.each = self._log.enabled(Level.DEBUG)
        """Whether every decision is logged."""
        self.named = log.NAMED_ITEMS if writes else 0
        """How many more changes are named at info."""

    def observe(self, event: Event) -> None:
        """Pass an event on; a decision is logged: all at debug, else the first changes by name."""
        if isinstance(event, Decided):
            if self.each:
                self._log.debug("decided", **_words(event))
            elif self.named and event.decision is not Decision.SKIP:
                self.named -= 1
                self._log.info("decided", **_words(event))
        self._observer(event)

    @contextmanager
    def gate(self, name: str) -> Iterator[None]:
        """One check before the enumeration (I4)."""
        try:
            yield
        except KassettuiError as error:
            self._log.warning("gate failed", gate=name, code=error.code, reason=error.message)
            raise
        self._log.debug("gate passed", gate=name)

    def begins(self, target: Target, scope: Scope) -> None:
        """The enumeration begins."""
        self._say("import begins", collection=target.name, root=target.root, scope=scope.as_json())

    def planned(self, plan: Plan) -> None:
        """The plan is made."""
        reasons = {str(reason): count for reason, count in plan.reasons.items()}
        self._say("planned", reasons=reasons, missing=plan.stats.missing)
        for error in plan.errors[: log.NAMED_ITEMS]:
            self._say("not readable", path=error.path, code=error.code, reason=error.message)

    def begin(self) -> None:
        """The transaction begins."""
        self._say("begin")

    def committed(self, applied: Applied) -> None:
        """The transaction is committed."""
        self._say("commit", collection=applied.collection, created=len(applied.created))

    def rolled_back(self, error: KassettuiError) -> None:
        """The transaction was rolled back, and why."""
        tell = self._log.info if isinstance(error, Interrupted) else self._log.error
        tell("rollback", code=error.code, cause=error.message)

    def failed(self, error: KassettuiError) -> None:
        """The run ended without an ingest, or its enrichment did."""
        tell = self._say if isinstance(error, Interrupted) else self._log.error
        tell("import failed", code=error.code, reason=error.message)

    def ends(self, report: Report) -> None:
        """The run is over."""
        self._say(
            "import ends", status=str(report.status), duration_ms=report.duration_ms, **report.stats.as_json()
        )


def _words(event: Decided) -> dict[str, object]:
    words: dict[str, object] = {
        "decision": str(event.decision),
        "reason": str(event.reason),
        "path": event.path,
    }
    return words if event.previous is None else words | {"previous": event.previous}
