"""One import from request to report: select, check, discover, plan, apply, enrich (spec: ingest)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import ExitCode, Interrupted, KassettuiError, LibraryUnavailable, StalePlan
from kassettui.core.identity import path_key
from kassettui.ingest.apply import RunFacts, Superseded, apply
from kassettui.ingest.checksum import ChecksumEnricher
from kassettui.ingest.enrich import OPTIONAL, Part, run_enrich, standing_checksum
from kassettui.ingest.filesystem import FilesystemSource
from kassettui.ingest.known import KnownAssets
from kassettui.ingest.plan_file import read_plan, request_of, write_plan
from kassettui.ingest.planner import Planner, Rules
from kassettui.ingest.progress import Finished, Phase, Progressed, Started, Warned, nobody
from kassettui.ingest.report import Report, Stats, Status
from kassettui.ingest.run_log import RunLog
from kassettui.ingest.selecting import check_prerequisites, select
from kassettui.jobs.control import Control
from kassettui.library import assets, stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.ingest.apply import Applied
    from kassettui.ingest.enrich import Enriched
    from kassettui.ingest.enricher import Enricher
    from kassettui.ingest.plan import Plan
    from kassettui.ingest.plan_file import StoredPlan
    from kassettui.ingest.progress import Observer
    from kassettui.ingest.request import ImportRequest
    from kassettui.ingest.selecting import Selected
    from kassettui.ingest.source import Scope
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library
    from kassettui.observe.metrics import Metrics

_ATTEMPTS: Final = 3
"""Plans that are made when other runs of the same collection keep coming between plan and apply."""

_COUNTED: Final = ("ingested", "updated", "moved", "skipped", "duplicates_prevented", "missing", "errors")

_PAGE: Final = 20_000
_LONGEST_WAIT_NS: Final = 3_000_000_000


def run_import(
    library: Library | None,
    request: ImportRequest,
    *,
    enrichers: Sequence[Enricher] = (),
    control: Control | None = None,
    observer: Observer = nobody,
    every_decision: bool = True,
) -> Report:
    """Import, and answer with a report whatever happened; expected failures are in it, never raised.

    `library` None means that there is none yet: only a dry run can do with that. `enrichers` run after
    the apply unless the request says otherwise; `hash_content` adds the checksum enricher to them.
    `plan_out` makes it a dry run: what is stored is to be applied later. The last event is `Finished`, on
    every way out. Without `every_decision` the observer hears of the first changes only, and no event is
    made for the rest.
    """
    if control is None:
        control = Control()
    run = _Import(library, request, enrichers, control, observer, every_decision=every_decision)
    try:
        report = run.execute()
    except Interrupted as stop:
        report = run.stopped(stop)
    except KassettuiError as error:
        report = run.failed(error)
    if library is not None and report.status is not Status.DRY_RUN:
        _count(library.operator.metrics, report)
    observer(Finished(report))
    return report


def _count(metrics: Metrics, report: Report) -> None:
    """Imports by how they ended; items by decision, of those that were committed (L13)."""
    metrics.import_runs.add(label=report.status)
    if report.status in {Status.SUCCESS, Status.PARTIAL}:
        for decision in _COUNTED:
            metrics.import_items.add(getattr(report.stats, decision), decision)


class _Import:
    """One run. Used once."""

    def __init__(
        self,
        library: Library | None,
        request: ImportRequest,
        enrichers: Sequence[Enricher],
        control: Control,
        observer: Observer,
        *,
        every_decision: bool,
    ) -> None:
        self._library = library
        self._request = request
        self._enrichers = _with_checksum(enrichers, request)
        self._control = control
        self._run_id = stamps.new_uuid()
        self._started_ns = time.time_ns()
        self._began = time.monotonic()
        self._dry = request.dry_run or request.plan_out is not None
        self._log = RunLog(self._run_id, observer, writes=not self._dry)
        told = self._log.each or (every_decision and observer is not nobody)
        self._told = None if told else self._log.named
        self._observer = self._log.observe
        self._selected: Selected | None = None
        self._scope: Scope | None = None
        self._plan: Plan | None = None
        self._applied: Applied | None = None
        self._enriched: Enriched | None = None

    # -- the way through ------------------------------------------------------------------------------------

    def execute(self) -> Report:
        """Everything in order. Raises KassettuiError and Cancelled."""
        stored = self._stored_plan()
        if self._library is None and not self._dry:
            raise LibraryUnavailable("There is no library to import into.", remedy="kassettui library init")
        self._control.progress(phase=Phase.CHECK)
        for attempt in range(1, _ATTEMPTS + 1):
            source = self._pass_gates()
            plan = self._plan = self._make_plan(source)
            if self._dry:
                return self._dry_run(plan)
            if stored is not None:
                stored.refuse_unless(plan.digest())
            try:
                self._apply(plan)
                break
            except Superseded as error:
                self._log.rolled_back(error)
                if stored is not None or attempt == _ATTEMPTS:
                    raise StalePlan(error.message, remedy="Nothing was written. Run it again.") from error
        self._enrich()
        return self._report(Status.PARTIAL if self._errors else Status.SUCCESS)

    def _stored_plan(self) -> StoredPlan | None:
        if self._request.apply_plan is None:
            return None
        stored = read_plan(self._request.apply_plan)
        self._request = request_of(stored, self._request)
        self._enrichers = _with_checksum(self._enrichers, self._request)
        return stored

    def _pass_gates(self) -> FilesystemSource:
        """Collection, prerequisites, source, scope: in this order, before anything is enumerated (I4)."""
        request = self._request
        with self._log.gate("collection"):
            selected = self._selected = select(self._library, request)
        target = selected.target
        with self._log.gate("prerequisites"):
            check_prerequisites(selected, whole=not selected.below and not request.scope)
        source = FilesystemSource(
            target.root,
            layout=target.layout,
            ignore=selected.ignore,
            all_files=request.all_files,
            follow_symlinks=request.follow_symlinks,
            expectation=selected.expectation,
            accept_device=request.accept_device,
            accept_empty=request.accept_missing,
        )
        with self._log.gate("source"):
            source.validate()
        with self._log.gate("scope"):
            self._scope = self._narrow(source, selected)
        self._selected = replace(
            selected, target=replace(target, device=source.device, inner_mounts=source.inner_mounts)
        )
        return source

    def _narrow(self, source: FilesystemSource, selected: Selected) -> Scope:
        if not self._request.scope:
            return source.scope_of(selected.below, self._control)
        return source.narrow(self._request.scope).within(selected.below)

    def _make_plan(self, source: FilesystemSource) -> Plan:
        selected, scope, request = self._selected, self._scope, self._request
        if selected is None or scope is None:
            raise RuntimeError("a plan needs a collection and a scope")
        target = selected.target
        self._log.begins(target, scope)
        self._observer(Started(target.name, target.uuid, target.root, self._dry))
        enrichers = standing_checksum(self._enrichers) if request.enrich else None
        library = self._library
        known = (
            library.read(_load, target.uuid, scope, enrichers)
            if library is not None and target.uuid is not None
            else KnownAssets((), enrichers)
        )
        planner = Planner(
            target,
            scope,
            source,
            known,
            self._look_up,
            Rules(enrichers, request.hash_content, request.accept_missing, request.into, self._told),
            control=self._control,
            observer=self._observer,
            now_ns=time.time_ns(),
        )
        plan = planner.plan()
        self._log.planned(plan)
        return plan

    def _look_up(self, ids: Sequence[int]) -> Mapping[int, assets.Detail]:
        return {} if self._library is None else self._library.read(assets.details, ids)

    def _dry_run(self, plan: Plan) -> Report:
        if self._request.plan_out is not None:
            write_plan(self._request.plan_out, plan, self._request, time.time_ns())
        return self._report(Status.DRY_RUN)

    def _apply(self, plan: Plan) -> None:
        if self._library is None:
            raise RuntimeError("an apply needs a library")
        self._wait_for_clock(plan)
        self._control.progress(phase=Phase.APPLY)
        facts = RunFacts(
            run_id=self._run_id,
            started_at=self._started_ns // 1000,
            status=str(Status.PARTIAL if plan.errors else Status.SUCCESS),
            arguments=_arguments(self._request),
            ignore=self._request.ignore,
        )
        self._log.begin()
        try:
            self._applied = apply(self._library, plan, facts, self._control, self._tell_rows)
        except KassettuiError as error:
            self._log.rolled_back(error)
            raise
        self._log.committed(self._applied)
        self._tell_rows(plan.rows, plan.rows)

    def _wait_for_clock(self, plan: Plan) -> None:
        """Until no signature is in doubt: a write in the same tick of the clock would not show in it (I8)."""
        left = plan.settles_ns - time.time_ns()
        if 0 < left < _LONGEST_WAIT_NS:
            self._control.wait(left / 1e9)

    def _tell_rows(self, done: int, total: int) -> None:
        self._control.progress(phase=Phase.APPLY, items=done, total_items=total)
        self._observer(Progressed(Phase.APPLY, done, total))

    def _enrich(self) -> None:
        """After the commit: nothing that happens here undoes the ingest (I21)."""
        applied, scope, library = self._applied, self._scope, self._library
        chosen = [
            enricher
            for enricher in self._enrichers
            if self._request.enrich or enricher.enricher_id in OPTIONAL
        ]
        if applied is None or scope is None or library is None or not chosen:
            return
        part = Part(applied.collection_id, prefixes=None if scope.whole else _prefixes(scope))
        self._enriched = run_enrich(library, chosen, part, control=self._control, observer=self._observer)

    # -- the answers ----------------------------------------------------------------------------------------

    @property
    def _errors(self) -> bool:
        return self._plan is not None and bool(self._plan.errors)

    def stopped(self, stop: Interrupted) -> Report:
        """Cancelled. What was committed before stays, and the report says which it is (I22)."""
        if self._applied is not None:
            message = "Cancelled while enriching. The import itself is committed; `kassettui enrich` goes on."
            return self._report(Status.CANCELLED, stop, message)
        self._log.failed(stop)
        return self._report(Status.CANCELLED, stop, "Cancelled. Nothing was written.")

    def failed(self, error: KassettuiError) -> Report:
        """Failed. An enrichment that fails as a whole leaves the import committed: that is partial."""
        self._log.failed(error)
        if self._applied is None:
            return self._report(Status.ERROR, error)
        self._observer(Warned(error.code, error.message))
        message = f"The import is committed, but enrichment stopped: {error.message}"
        return self._report(Status.PARTIAL, error, message, "Go on with: kassettui enrich")

    def _report(
        self,
        status: Status,
        error: KassettuiError | None = None,
        message: str | None = None,
        remedy: str | None = None,
    ) -> Report:
        plan, applied, selected = self._plan, self._applied, self._selected
        target = selected.target if selected is not None else None
        written = applied is not None or status is Status.DRY_RUN
        report = Report(
            status=status,
            exit_code=_exit_code(status, error),
            run_id=self._run_id if applied is not None else None,
            collection_id=applied.collection_id if applied else target.uuid if target else None,
            collection=applied.collection if applied else target.name if target else None,
            scope=self._scope,
            stats=plan.stats if plan is not None and written else Stats(),
            created_assets=applied.created if applied else (),
            updated_assets=_uuids(plan) if plan is not None and applied else (),
            errors=plan.errors if plan is not None else (),
            last_ingest_ns=_last_ingest_ns(applied, selected),
            duration_ms=int((time.monotonic() - self._began) * 1000),
            code=error.code if error is not None else None,
            message=message or (error.message if error is not None else None),
            remedy=remedy or (error.remedy if error is not None and error.remedy else None),
            plan=plan,
            enriched=self._enriched,
        )
        self._log.ends(report)
        return report


def _with_checksum(enrichers: Sequence[Enricher], request: ImportRequest) -> Sequence[Enricher]:
    """`enrichers`, and the checksum enricher where the request asks to hash."""
    if not request.hash_content or any(enricher.enricher_id in OPTIONAL for enricher in enrichers):
        return enrichers
    return (*enrichers, ChecksumEnricher())


def _load(db: LibraryDatabase, collection_uuid: str, scope: Scope, enrichers: str | None) -> KnownAssets:
    """The known assets of the scope, and what is missing elsewhere, from one snapshot."""

    def rows() -> Iterator[assets.Known]:
        for prefix in scope.prefixes():
            after = None
            while page := assets.known(db, collection_uuid, (prefix,), after=after, limit=_PAGE):
                yield from page
                after = page[-1].key
        if not scope.whole:
            for row in assets.lost(db, collection_uuid):
                if not row.key.startswith(scope.prefixes()):
                    yield row

    return KnownAssets(rows(), enrichers)


def _prefixes(scope: Scope) -> tuple[str, ...]:
    return scope.prefixes() if scope.only is None else (path_key(scope.directories[0], scope.only),)


def _arguments(request: ImportRequest) -> dict[str, object]:
    """The options that the run's row keeps: those that say how, not of what."""
    chosen = {
        "into": request.into,
        "enrich": request.enrich,
        "hash": request.hash_content,
        "accept_missing": request.accept_missing,
        "accept_device": request.accept_device,
        "all_files": request.all_files,
        "follow_symlinks": request.follow_symlinks,
    }
    return {name: value for name, value in chosen.items() if value}


def _uuids(plan: Plan) -> list[str]:
    """The assets that the run changed: updated ones, and those that moved with other content."""
    return [change.uuid for change in plan.updates if change.uuid is not None]


def _exit_code(status: Status, error: KassettuiError | None) -> ExitCode:
    if status is Status.CANCELLED:
        return ExitCode.INTERRUPTED
    if status is Status.PARTIAL:
        return ExitCode.PARTIAL
    return error.exit_code if error is not None else ExitCode.DONE


def _last_ingest_ns(applied: Applied | None, selected: Selected | None) -> int | None:
    if applied is not None:
        return applied.time * 1000
    last = selected.target.last_ingest_us if selected is not None else None
    return None if last is None else last * 1000
