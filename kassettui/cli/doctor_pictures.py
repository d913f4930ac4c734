"""What `doctor` says of decoders, colour, the cache of thumbnails and pictures in this terminal (P1, P12)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from kassettui.cli import wording
from kassettui.cli.doctor import Finding, Verdict
from kassettui.core.errors import KassettuiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kassettui.cli.invocation import Invocation

_FORMAT: Final = "format "
_LIBRARIES: Final = ("OpenImageIO", "OpenColorIO", "Pillow", "FFmpeg")
_TMUX_SECONDS: Final = 2.0


def decoders(invocation: Invocation) -> Iterator[Finding]:
    """Whether the decoder processes start, what they read, and with which colours."""
    from kassettui.cli.pictures import answer_to
    from kassettui.media.messages import Report, Reported

    if not _has_settings(invocation):
        return
    try:
        answer = answer_to(invocation, "the decoders", Report())
    except KassettuiError as error:
        yield Finding("decoders", Verdict.FAIL, error.message, error.remedy)
        return
    if not isinstance(answer, Reported):
        reason = getattr(answer, "reason", "they do not answer")
        yield Finding("decoders", Verdict.FAIL, reason, "The log has what they said: kassettui log")
        return
    told = dict(answer.lines)
    yield Finding("decoders", Verdict.OK, ", ".join(f"{name} {told[name]}" for name in _LIBRARIES))
    yield _formats(told)
    yield _colour(told)


def _has_settings(invocation: Invocation) -> bool:
    """Whether they can be read; if not, the check of the settings has said so."""
    try:
        return invocation.settings is not None
    except KassettuiError:
        return False


def _formats(told: Mapping[str, str]) -> Finding:
    states = {name.removeprefix(_FORMAT): state for name, state in told.items() if name.startswith(_FORMAT)}
    lacking = [name for name, state in states.items() if state != "ok"]
    if lacking:
        remedy = "Install the wheels of OpenImageIO, Pillow and av that this kassettui names."
        return Finding("formats", Verdict.WARN, f"These cannot be read: {', '.join(lacking)}.", remedy)
    return Finding("formats", Verdict.OK, ", ".join(states))


def _colour(told: Mapping[str, str]) -> Finding:
    found = f"{told['colour configuration']}, {told['display']}"
    problem = told.get("colour problem")
    if problem:
        return Finding("colour", Verdict.WARN, f"$OCIO cannot be used: {problem}", f"Until then: {found}.")
    return Finding("colour", Verdict.OK, found)


def thumbnail_cache(invocation: Invocation) -> Iterator[Finding]:
    """Whether thumbnails can be kept."""
    from kassettui import paths

    file = paths.thumbnail_cache_file()
    if not _has_settings(invocation):
        return
    if not file.exists():
        yield Finding("thumbnail cache", Verdict.OK, f"{file} (made when it is needed)")
        return
    cache = invocation.workspace(read_only=True).thumbnail_file
    info = cache.info()
    if cache.problem:
        remedy = "It may be deleted: kassettui thumb cache clear"
        yield Finding("thumbnail cache", Verdict.WARN, cache.problem, remedy)
        return
    found = f"{file}, {wording.plural(info.pictures, 'picture')}, {wording.size(info.file_bytes)}"
    yield Finding("thumbnail cache", Verdict.OK, found)


def pictures(invocation: Invocation) -> Iterator[Finding]:
    """How pictures are drawn in this terminal."""
    from kassettui.media import graphics

    if not invocation.output.terminal:
        return
    found = graphics.ask()
    chosen = graphics.choose("auto", found, os.environ)
    words = {"kitty": "kitty graphics", "sixel": "sixel", "halfblock": "half blocks", "none": "none"}
    cell = f", a cell is {found.cell[0]} × {found.cell[1]} pixels" if chosen != "none" else ""
    remedy = ""
    if not found.answered:
        remedy = "The terminal did not say what it can; choose with --images or screen.images."
    elif chosen == "halfblock":
        remedy = "A terminal with sixel or kitty graphics shows real pictures."
    verdict = Verdict.OK if chosen in {"kitty", "sixel"} else Verdict.WARN
    yield Finding("pictures", verdict, words[chosen] + cell, remedy)
    if os.environ.get("TMUX"):
        yield _passthrough()


def _passthrough() -> Finding:
    """Whether tmux lets pictures through, as far as it says."""
    tmux = shutil.which("tmux")
    remedy = "Let pictures through: tmux set -g allow-passthrough on"
    if tmux is None:
        return Finding("tmux passthrough", Verdict.WARN, "tmux cannot be asked", remedy)
    try:
        asked = subprocess.run(
            [tmux, "show-options", "-gv", "allow-passthrough"],
            capture_output=True,
            timeout=_TMUX_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("tmux passthrough", Verdict.WARN, "tmux does not answer", remedy)
    state = asked.stdout.decode(errors="replace").strip()
    on = state in {"on", "all"}
    return Finding(
        "tmux passthrough", Verdict.OK if on else Verdict.WARN, state or "off", "" if on else remedy
    )
