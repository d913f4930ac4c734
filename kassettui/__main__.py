"""The program's entry: `python -m kassettui` and the `kassettui` command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kassettui.config import Settings
    from kassettui.workspace import Workspace


class Screen:
    """The screen for the command line, which must not know it: imported only when it is used."""

    def open(self, workspace: Workspace) -> int:
        """Show it until a person leaves; the exit code."""
        from kassettui.tui.start import show

        return show(workspace)

    def keys(self, settings: Settings) -> list[dict[str, Any]]:
        """Every action with its keys. Raises InvalidInput for keys that cannot be."""
        from kassettui.tui.keytable import rows

        return rows(settings)


def main() -> int:
    """Run the command line on `sys.argv`; the value is the exit code (spec: cli, Exit codes)."""
    try:
        from kassettui.cli.main import run

        return run(sys.argv[1:], Screen())
    except KeyboardInterrupt:  # before or after the command line has the signals in hand
        return 130


if __name__ == "__main__":
    sys.exit(main())
