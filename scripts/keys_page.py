"""docs/keys.md from the registry of actions."""

from __future__ import annotations

import sys
from pathlib import Path

from kassettui.tui.keytable import page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
