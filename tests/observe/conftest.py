"""Every test of the log begins and ends with one that has no file, no line and its usual weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    log.configure(None)
    log.clear_recent()
    yield
    log.configure(None)
    log.clear_recent()
