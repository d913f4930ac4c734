"""docs/commands.md is made from the program; here it is held to it."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_commands_is_what_the_program_says() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "commands_page.py"))["render"]()
    assert page == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), "renew it with ./scripts/docs"
