"""One import in a process of its own, for tests that kill it.

    python -m tests.faults.import_child LIBRARY ROOT [--pause-at ROWS]

Prints `applying` when the transaction has written ROWS rows and then waits to be killed; prints the
report's stats as JSON when it gets to its end. SIGINT cancels, as the program's own handler does.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from kassettui.ingest.header_free import header_free
from kassettui.ingest.importing import run_import
from kassettui.ingest.progress import Event, Phase, Progressed
from kassettui.ingest.request import ImportRequest
from kassettui.jobs.control import Control
from kassettui.library.library import Library


def main() -> None:
    """Import, and say how it went."""
    library, root = sys.argv[1:3]
    pause_at = int(sys.argv[4]) if len(sys.argv) > 3 else None
    control = Control()
    signal.signal(signal.SIGINT, lambda *_: control.cancel())
    paused = False

    def watch(event: Event) -> None:
        nonlocal paused
        if pause_at is None or paused or not isinstance(event, Progressed) or event.phase is not Phase.APPLY:
            return
        if event.done >= pause_at:
            paused = True
            print("applying", flush=True)
            deadline = time.monotonic() + 60
            while not control.cancelled and time.monotonic() < deadline:
                time.sleep(0.01)

    with Library.open(library, create=True) as opened:
        report = run_import(
            opened, ImportRequest(path=root), enrichers=header_free(), control=control, observer=watch
        )
    print(
        json.dumps({"status": report.status, "exit_code": report.exit_code, **report.stats.as_json()}),
        flush=True,
    )


if __name__ == "__main__":
    main()
