"""One import from request to report: select, check, discover, plan, apply, enrich (spec: ingest)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.ingest.progress import nobody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.ingest.enricher import Enricher
    from kassettui.ingest.progress import Observer
    from kassettui.ingest.report import Report
    from kassettui.ingest.request import ImportRequest
    from kassettui.jobs.control import Control
    from kassettui.library.library import Library


def run_import(
    library: Library | None,
    request: ImportRequest,
    *,
    enrichers: Sequence[Enricher] = (),
    control: Control | None = None,
    observer: Observer = nobody,
) -> Report:
    """Import, and answer with a report whatever happened; expected failures are in it, never raised.

    `library` None means that there is none yet: only a dry run can do with that. `enrichers` run after the apply
    unless the request says otherwise; `hash_content` adds the checksum enricher to them.
    """
    raise NotImplementedError
