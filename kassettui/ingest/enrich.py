"""Enrichment: what looks into files, after the ingest and apart from it (spec: ingest I13, I24, I25).

Assets are taken a page at a time; each enricher runs over those of the page that it has not run over, in
order of priority, and its results are one batched write. What a kill leaves is found again: an asset is
done when its row carries the checksum of all standing enrichers, and every single enricher notes that it
has run.

An asset whose enrichment ended without making it ready (damaged, or its pixels unknown) carries that
checksum too, with the reason in `last_error`: a second import does not try it again until its content or
an enricher changes; `again` does.

`checksum` is not standing: it runs when asked for (`--hash`), over everything that has no content hash,
and a set with or without it counts as the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kassettui.core import lifecycle
from kassettui.core.errors import KassettuiError
from kassettui.core.kinds import Kind
from kassettui.core.lifecycle import Measured, Standing
from kassettui.ingest.enricher import Outcome, Subject, checksum_of
from kassettui.ingest.progress import Phase, Progressed, Warned, nobody
from kassettui.library import assets, enrichments
from kassettui.library.work import Priority
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kassettui.ingest.enricher import Enricher
    from kassettui.ingest.progress import Observer
    from kassettui.jobs.control import Control
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

PAGE: Final = 100
"""Assets whose results are written together: what a kill may cost."""

OPTIONAL: Final = frozenset({"checksum"})
"""Enrichers that run when asked for and do not count in the checksum of the standing ones."""

_log = log.get("enrich")


@dataclass(frozen=True, slots=True)
class Part:
    """Which assets are meant: of a collection, these ids, keys that start so; None does not narrow."""

    collection_uuid: str | None = None
    ids: Sequence[int] | None = None
    prefixes: Sequence[str] | None = None


@dataclass(slots=True)
class Enriched:
    """What an enrichment did.

    `waiting` ended without an error and are not ready: something is not known yet.
    """

    assets: int = 0
    ready: int = 0
    waiting: int = 0
    failed: int = 0
    hashed: int = 0
    runs: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """For a report."""
        return {
            "assets": self.assets,
            "ready": self.ready,
            "waiting": self.waiting,
            "failed": self.failed,
            "hashed": self.hashed,
            "runs": dict(self.runs),
        }


def standing(enrichers: Iterable[Enricher]) -> list[Enricher]:
    """Those that every asset needs, by priority."""
    return sorted(
        (enricher for enricher in enrichers if enricher.enricher_id not in OPTIONAL),
        key=lambda enricher: (enricher.priority, enricher.enricher_id),
    )


def standing_checksum(enrichers: Iterable[Enricher]) -> str | None:
    """What `enricher_checksum` holds once all standing ones have run (I9); None when there are none."""
    chosen = standing(enrichers)
    return checksum_of(chosen) if chosen else None


def run_enrich(
    library: Library,
    enrichers: Sequence[Enricher],
    part: Part,
    *,
    control: Control,
    observer: Observer = nobody,
    again: bool = False,
) -> Enriched:
    """Enrich what is not ready and was not enriched to the end; `again`: what ended without ready, too.

    Raises Cancelled between batches (what is written stays), and what writing to the library raises.
    """
    run = _Run(library, part, control, observer)
    chosen = standing(enrichers)
    if chosen:
        run.enrich(chosen, checksum_of(chosen), again=again)
    for enricher in enrichers:
        if enricher.enricher_id in OPTIONAL:
            run.hash(enricher)
    counted = library.operator.metrics.enrichments
    for outcome in ("ready", "waiting", "failed", "hashed"):
        counted.add(getattr(run.enriched, outcome), outcome)
    return run.enriched


class _Run:
    """One enrichment of one part of a library."""

    def __init__(self, library: Library, part: Part, control: Control, observer: Observer) -> None:
        self._library = library
        self._part = part
        self._control = control
        self._observer = observer
        self.enriched = Enriched()

    def enrich(self, chosen: Sequence[Enricher], checksum: str, *, again: bool) -> None:
        """Page after page, all standing enrichers."""
        wanted = None if again else checksum
        total = self._library.read(_count, self._part, wanted)
        if not total:
            return
        _log.info("enrichment begins", assets=total)
        self._tell(0, total)
        after = 0
        while page := self._library.read(_page, self._part, wanted, after):
            self._control.checkpoint()
            after = page[-1].asset_id
            self._enrich_page(chosen, checksum, page, again=again)
            self.enriched.assets += len(page)
            self._tell(self.enriched.assets, max(total, self.enriched.assets), page[-1].name)
        _log.info("enrichment ends", **self.enriched.as_json())

    def _enrich_page(
        self, chosen: Sequence[Enricher], checksum: str, page: Sequence[Subject], *, again: bool
    ) -> None:
        ids = [subject.asset_id for subject in page]
        versions = {} if again else self._library.read(enrichments.versions_of, ids)
        self._library.write(_begin, page, priority=Priority.LOW)
        for enricher in chosen:
            batch = [
                subject
                for subject in page
                if versions.get(subject.asset_id, {}).get(enricher.enricher_id) != enricher.version
            ]
            if batch:
                self._control.checkpoint()
                outcomes = self._run(enricher, batch)
                self._library.write(_note, enricher, batch, outcomes, priority=Priority.LOW)
        for ready, reason in self._library.write(_settle, page, checksum, priority=Priority.LOW):
            if ready:
                self.enriched.ready += 1
            elif reason is not None and reason.startswith(_LACKS):
                self.enriched.waiting += 1
            else:
                self.enriched.failed += 1

    def hash(self, enricher: Enricher) -> None:
        """What has no content hash gets one; states stay as they are."""
        lacking = (enricher.enricher_id, enricher.version)
        after = 0
        while page := self._library.read(_unhashed, self._part, lacking, after):
            self._control.checkpoint()
            after = page[-1].asset_id
            outcomes = self._run(enricher, page)
            self._library.write(_note, enricher, page, outcomes, priority=Priority.LOW)
            self.enriched.hashed += sum(outcome.error is None for outcome in outcomes)
            self._tell(self.enriched.hashed, None, page[-1].name)

    def _run(self, enricher: Enricher, batch: Sequence[Subject]) -> Sequence[Outcome]:
        """One outcome a subject, whatever the enricher does. What it raises hits no other asset (I24)."""
        name = enricher.enricher_id
        self.enriched.runs[name] = self.enriched.runs.get(name, 0) + len(batch)
        try:
            outcomes = _checked(enricher, batch, enricher.run(batch, self._control))
        except KassettuiError as error:
            if self._control.cancelled:
                raise
            outcomes = self._apart(enricher, batch, error)
        except Exception as error:  # noqa: BLE001 - an enricher's bug is an asset's error, and in the log
            _log.exception("an enricher failed", enricher=name, assets=len(batch))
            outcomes = self._apart(enricher, batch, error)
        for subject, outcome in zip(batch, outcomes, strict=True):
            if outcome.error is not None:
                self._observer(Warned(f"{name}_failed", f"{name}: {outcome.error}", subject.path))
                _log.warning("not enriched", enricher=name, path=subject.path, reason=outcome.error)
        return outcomes

    def _apart(self, enricher: Enricher, batch: Sequence[Subject], error: Exception) -> Sequence[Outcome]:
        """After a batch failed as a whole: each subject on its own, so that one alone bears it."""
        if len(batch) == 1:
            return [Outcome(error=f"{type(error).__name__}: {error}")]
        outcomes: list[Outcome] = []
        for subject in batch:
            self._control.checkpoint()
            outcomes += self._run_one(enricher, subject)
        return outcomes

    def _run_one(self, enricher: Enricher, subject: Subject) -> Sequence[Outcome]:
        try:
            return _checked(enricher, [subject], enricher.run([subject], self._control))
        except KassettuiError as error:
            if self._control.cancelled:
                raise
            return self._apart(enricher, [subject], error)
        except Exception as error:  # noqa: BLE001 - as above; the batch is in the log
            return self._apart(enricher, [subject], error)

    def _tell(self, done: int, total: int | None, current: str = "") -> None:
        self._control.progress(phase=Phase.ENRICH, items=done, total_items=total, current=current)
        self._observer(Progressed(Phase.ENRICH, done, total, current=current))


def _checked(enricher: Enricher, batch: Sequence[Subject], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes, if they are one a subject and keep to the enricher's own fields (I24)."""
    if len(outcomes) != len(batch):
        raise ValueError(f"{enricher.enricher_id} gave {len(outcomes)} outcomes for {len(batch)} assets")
    for outcome in outcomes:
        foreign = outcome.facts.keys() - enricher.fields
        if foreign:
            raise ValueError(f"{enricher.enricher_id} wrote fields that are not its own: {sorted(foreign)}")
    return outcomes


# -- units of work ------------------------------------------------------------------------------------------

_LACKS: Final = "Not ready: "


def _count(db: LibraryDatabase, part: Part, checksum: str | None) -> int:
    return enrichments.count_unfinished(
        db,
        collection_uuid=part.collection_uuid,
        ids=part.ids,
        prefixes=part.prefixes,
        checksum=checksum,
    )


def _page(db: LibraryDatabase, part: Part, checksum: str | None, after: int) -> list[Subject]:
    rows = enrichments.unfinished(
        db,
        collection_uuid=part.collection_uuid,
        ids=part.ids,
        prefixes=part.prefixes,
        checksum=checksum,
        after=after,
        limit=PAGE,
    )
    return [_subject(row) for row in rows]


def _unhashed(db: LibraryDatabase, part: Part, lacking: tuple[str, str], after: int) -> list[Subject]:
    rows = enrichments.unfinished(
        db,
        collection_uuid=part.collection_uuid,
        ids=part.ids,
        prefixes=part.prefixes,
        lacking=lacking,
        unhashed=True,
        after=after,
        limit=PAGE,
    )
    return [_subject(row) for row in rows]


def _begin(db: LibraryDatabase, page: Sequence[Subject]) -> None:
    """new → enriching."""
    rows = _still(db, page)
    assets.set_standings(db, [(row.id, lifecycle.enriching(Standing(row.state))) for row in rows.values()])


def _note(
    db: LibraryDatabase, enricher: Enricher, batch: Sequence[Subject], outcomes: Sequence[Outcome]
) -> None:
    """One enricher's results over a batch. What changed on disk or in the library meanwhile is left alone."""
    signatures = {
        detail.id: detail.signature for detail in assets.details(db, [s.asset_id for s in batch]).values()
    }
    kept = [
        (subject.asset_id, outcome)
        for subject, outcome in zip(batch, outcomes, strict=True)
        if signatures.get(subject.asset_id, "") == subject.content_signature
    ]
    assets.write_facts(db, [(asset_id, outcome.facts) for asset_id, outcome in kept if outcome.facts])
    enrichments.note_done(
        db,
        enricher.enricher_id,
        enricher.version,
        [(asset_id, outcome.error) for asset_id, outcome in kept],
    )


def _settle(db: LibraryDatabase, page: Sequence[Subject], checksum: str) -> list[tuple[bool, str | None]]:
    """enriching → ready or new, as the lifecycle decides; (ready, why not) per asset (I13)."""
    rows = _still(db, page)
    errors = enrichments.errors_of(db, list(rows))
    standings: list[tuple[int, Standing]] = []
    facts: list[tuple[int, Mapping[str, object]]] = []
    ends: list[tuple[bool, str | None]] = []
    for asset_id, row in rows.items():
        if row.state is not lifecycle.State.ENRICHING:
            continue
        failures = [
            f"{name}: {error}"
            for name, error in errors.get(asset_id, {}).items()
            if error is not None and name not in OPTIONAL
        ]
        before = Standing(row.state)
        if failures:
            after, reason = lifecycle.failed(before), "; ".join(failures)
        else:
            measured = Measured(row.extension, row.width, row.height, row.frame_count, row.duration_ms)
            after, lacking = lifecycle.enriched(before, Kind(row.kind), measured)
            reason = "" if lacking is None else f"{_LACKS}{lacking}."
        standings.append((asset_id, after))
        facts.append((asset_id, {"last_error": reason or None, "enricher_checksum": checksum}))
        ends.append((after.state is lifecycle.State.READY, reason or None))
    assets.set_standings(db, standings)
    assets.write_facts(db, facts)
    return ends


def _still(db: LibraryDatabase, page: Sequence[Subject]) -> dict[int, enrichments.Subject]:
    """The rows of the page that are not ready, not gone, and of the content that was looked at."""
    signatures = {subject.asset_id: subject.content_signature for subject in page}
    rows = enrichments.unfinished(db, ids=list(signatures), limit=len(signatures))
    return {row.id: row for row in rows if (row.content_signature or "") == signatures[row.id]}


def _subject(row: enrichments.Subject) -> Subject:
    return Subject(
        asset_id=row.id,
        uuid=row.uuid,
        kind=Kind(row.kind),
        path=row.path,
        name=row.name,
        extension=row.extension,
        size=row.size,
        mtime_ns=row.mtime_ns or 0,
        content_signature=row.content_signature or "",
        sequence_pattern=row.sequence_pattern,
        frame_ranges=row.frame_ranges,
        frame_padding=row.frame_padding,
        expected_ranges=row.expected_ranges,
    )
