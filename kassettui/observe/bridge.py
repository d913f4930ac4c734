"""What libraries say through the standard library's logging goes to our log, and never to the terminal."""

from __future__ import annotations

import logging
from typing import Final

from kassettui.observe import log


class _Bridge(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001 (a stranger's format string)
            event = str(record.msg)
        logger = log.get(record.name)
        fields: dict[str, object] = {"exc_info": record.exc_info} if record.exc_info else {}
        if record.levelno >= logging.ERROR:
            logger.error(event, **fields)
        else:
            logger.warning(event, **fields)


_BRIDGE: Final = _Bridge(logging.WARNING)


def install() -> None:
    """From now on, warnings and errors of every logger end in ours. Twice is once."""
    root = logging.getLogger()
    if _BRIDGE not in root.handlers:
        root.addHandler(_BRIDGE)
