"""The promises of the repository itself: locked dependencies, a whole wheel, sound themes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from kassettui.core.health import FrameState

ROOT = Path(__file__).resolve().parents[1]
THEMES = sorted((ROOT / "themes").glob("*.toml"))
COLORS = {
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
}
STATES = {
    "new",
    "enriching",
    "ready",
    "retired",
    "missing",
    "approved",
    "growing",
    "holes",
    "broken",
    "stalled",
}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_its_hash_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    entries = re.findall(r"(?m)^(\S+?)==[^\n]*\n((?:    --hash=\S+.*\n?)+)", text)
    assert len(entries) == len(re.findall(r"(?m)^\S+==", text)) > 15


def test_both_locks_hold_the_same_versions() -> None:
    runtime, development = (
        set(re.findall(r"(?m)^(\S+==\S+)", (ROOT / lock).read_text()))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= development


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    assert [line for line in block.strip().splitlines() if "#" not in line] == []


def test_the_wheel_carries_the_package_and_the_themes(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("kassettui-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"kassettui/__main__.py", "kassettui/core/errors.py", "kassettui/py.typed"} <= names
    assert {f"kassettui/themes/{theme.name}" for theme in THEMES} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_T8_there_are_at_least_six_themes_of_our_own() -> None:
    assert len(THEMES) >= 6
    assert {"high-contrast", "colour-blind-safe"} <= {theme.stem for theme in THEMES}


@pytest.mark.parametrize("path", THEMES, ids=lambda path: path.stem)
def test_T8_a_theme_has_every_colour_and_a_name(path: Path) -> None:
    theme = tomllib.loads(path.read_text())
    assert theme["name"] == path.stem
    assert set(theme) == {"name", "title", "dark", "colors", "states", "stars", "strip"}
    assert set(theme["colors"]) == COLORS
    assert set(theme["states"]) == STATES
    assert set(theme["stars"]) == {"filled", "empty"}
    assert set(theme["strip"]) == {state.value for state in FrameState}
    for table in ("colors", "states", "stars", "strip"):
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in theme[table].values())


def test_T8_high_contrast_keeps_seven_to_one() -> None:
    theme = tomllib.loads((ROOT / "themes" / "high-contrast.toml").read_text())
    ground = _luminance(theme["colors"]["background"])
    shown = {**theme["colors"], **theme["states"], **theme["stars"], **theme["strip"]}
    for name in ("background", "surface", "panel"):
        shown.pop(name)
    assert {
        name for name, colour in shown.items() if (_luminance(colour) + 0.05) / (ground + 0.05) < 7
    } == set()


def _luminance(colour: str) -> float:
    """WCAG 2 relative luminance, 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
