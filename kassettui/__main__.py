"""The program's entry: `python -m kassettui` and the `kassettui` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line on `sys.argv`; the value is the exit code (spec: cli, Exit codes)."""
    try:
        from kassettui.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # before or after the command line has the signals in hand
        return 130


if __name__ == "__main__":
    sys.exit(main())
