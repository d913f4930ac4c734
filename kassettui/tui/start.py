"""Shows the screen until a person leaves."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from kassettui.tui.app import Kassettui

if TYPE_CHECKING:
    from kassettui.workspace import Workspace


def show(workspace: Workspace) -> int:
    """The screen on this terminal; the exit code. Raises what crashed it, the terminal restored."""
    app = Kassettui(workspace)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        app.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if app.crash is not None:
        raise app.crash
    return app.return_code or 0
