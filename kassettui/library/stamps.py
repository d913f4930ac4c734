"""What the library gives new rows: the time and a uuid."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """Microseconds since the epoch, UTC: what `*_at` columns hold."""
    return time.time_ns() // 1_000


def to_iso(microseconds: int) -> str:
    """ISO 8601, UTC, with Z; fractions of a second only where there are any."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")


def new_uuid() -> str:
    """A random uuid (RFC 9562, version 4). Random all through, so that a short prefix tells assets apart."""
    return new_uuids(1)[0]


def new_uuids(count: int) -> list[str]:
    """`count` random uuids from one read of the system's randomness."""
    text = os.urandom(16 * count).hex()
    return [_as_uuid(text[start : start + 32]) for start in range(0, 32 * count, 32)]


def _as_uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
