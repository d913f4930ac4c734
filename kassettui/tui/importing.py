"""An import as a job of the screen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kassettui.core.errors import RunFailed
from kassettui.core.text import safe

if TYPE_CHECKING:
    from kassettui.ingest.report import Report
    from kassettui.jobs.control import Control
    from kassettui.jobs.job import Job
    from kassettui.workspace import Workspace


def submit_import(workspace: Workspace, path: str) -> Job[Report]:
    """Import `path` as the settings say; `~` is the home directory."""
    from kassettui.ingest.request import ImportRequest

    usual = workspace.settings.imports
    request = ImportRequest(
        path=os.path.abspath(os.path.expanduser(path)),
        ignore=usual.ignore,
        enrich=usual.enrich,
        hash_content=usual.hash,
        all_files=usual.all_files,
        follow_symlinks=usual.follow_symlinks,
    )

    def work(control: Control) -> Report:
        from kassettui.ingest.header_free import header_free
        from kassettui.ingest.importing import run_import
        from kassettui.ingest.report import Status

        report = run_import(workspace.library, request, enrichers=header_free(), control=control)
        control.checkpoint()  # cancelled: the job says so too
        if report.status is Status.ERROR:
            raise RunFailed(report.message or "The import failed.", remedy=report.remedy or "")
        for error in report.errors:
            control.warn(f"{safe(error.path)}: {safe(error.message)}")
        return report

    return workspace.jobs.submit("import", f"import {request.path}", work, queue="scan")
