"""The plan of an import as a value: what is written and why (spec: ingest I19, I20)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import xxhash

from kassettui.core.decisions import Reason
from kassettui.core.identity import relative_path
from kassettui.core.text import as_json, path_b64
from kassettui.ingest.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.ingest.changes import Change
    from kassettui.ingest.report import Stats
    from kassettui.ingest.source import ItemError, Scope

_WRAP: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class Target:
    """The collection that a run writes to. `uuid` None: the apply makes it (I1, I19).

    `last_ingest_us` (µs since the epoch) is what the plan assumes to be still true when it is applied;
    `device` is the identity of the file system that the root lies on now, `inner_mounts` those inside it.
    """

    uuid: str | None
    name: str
    root: str
    source_type: str = "filesystem"
    layout: str = ""
    last_ingest_us: int | None = None
    device: str | None = None
    inner_mounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """An asset of the scope that was not found (I14)."""

    asset_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the apply writes, and nothing else.

    `creates`, `updates` and `moves` are what I10 and I15 decided; `refreshes` are skipped items of which
    the row learns something small without becoming new again (found again, touched, no longer growing).
    `into` is a virtual folder, and `placed` (asset id, directory) are the skipped items that go there
    too. From `settles_ns` on (ns since the epoch) no signature of the plan is in doubt (I8).
    """

    target: Target
    scope: Scope
    stats: Stats
    creates: Changes = field(default_factory=Changes)
    updates: Changes = field(default_factory=Changes)
    moves: Changes = field(default_factory=Changes)
    refreshes: Changes = field(default_factory=Changes)
    gone: Sequence[Gone] = ()
    errors: Sequence[ItemError] = ()
    duplicates: Sequence[str] = ()
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    enrichers: str | None = None
    into: str | None = None
    settles_ns: int = 0
    placed: Sequence[tuple[int, str]] = ()

    def changes(self) -> Iterator[Change]:
        """All changes that are decisions, in the order in which they are applied."""
        yield from self.moves
        yield from self.updates
        yield from self.creates

    @property
    def rows(self) -> int:
        """How many rows of assets the apply writes."""
        changed = len(self.creates) + len(self.updates) + len(self.moves)
        return changed + len(self.refreshes) + len(self.gone)

    @property
    def unchanged(self) -> bool:
        """Whether nothing but the run itself would be written (I25)."""
        return not (self.creates or self.updates or self.moves or self.refreshes or self.gone)

    def digest(self) -> str:
        """What tells this plan from every other (I20): equal for equal decisions over equal assumptions.

        What only time changes (health that settles) and the order of enumeration are left out.
        """
        head = msgspec.json.encode(
            self.assumed() | {"stats": self.stats.as_json(), "scope": self.scope.as_json()}
        )
        total = sum(_line(change) for change in self.changes())
        total += sum(_line(change) for change in self.refreshes if change.reason is not Reason.SETTLED)
        total += sum(_number("gone", gone.key) for gone in self.gone)
        total += sum(_number("duplicate", key) for key in self.duplicates)
        total += sum(_number("error", error.path, error.code) for error in self.errors)
        return f"p1:{xxhash.xxh3_128_hexdigest(head)}{total % _WRAP:032x}"

    def assumed(self) -> dict[str, object]:
        """What must still be true when the plan is applied."""
        return {
            "collection_id": self.target.uuid,
            "collection": as_json(self.target.name),
            "root": as_json(self.target.root),
            "root_b64": path_b64(self.target.root),
            "layout": self.target.layout,
            "last_ingest_us": self.target.last_ingest_us,
            "enrichers": self.enrichers,
            "into": None if self.into is None else as_json(self.into),
        }

    def as_json(self) -> Iterator[dict[str, object]]:
        """The decisions of the plan, one document each."""
        for change in self.changes():
            item = change.item
            entry: dict[str, object] = {"decision": change.decision, "reason": change.reason}
            entry |= _path_entry(relative_path(item.key))
            entry |= {
                "kind": item.kind,
                "bytes": item.size,
                "frames": item.frame_count,
                "signature": item.signature,
            }
            if change.uuid is not None:
                entry["uuid"] = change.uuid
            if change.previous is not None:
                entry["previous"] = _path_entry(relative_path(change.previous))
            yield entry
        for gone in self.gone:
            yield {"decision": "missing", "reason": "not found"} | _path_entry(relative_path(gone.key))
        for key in self.duplicates:
            yield {"decision": "duplicate", "reason": Reason.DUPLICATE} | _path_entry(relative_path(key))
        for error in self.errors:
            yield {"decision": "error", "reason": error.message, "code": error.code} | _path_entry(error.path)


def _path_entry(path: str) -> dict[str, object]:
    encoded = path_b64(path)
    entry: dict[str, object] = {"path": as_json(path)}
    return entry if encoded is None else entry | {"path_b64": encoded}


def _number(*parts: str) -> int:
    """128 bits of one line; lines are added up, so that their order does not matter."""
    return xxhash.xxh3_128_intdigest("\0".join(parts).encode("utf-8", "surrogatepass"))


def _line(change: Change) -> int:
    return _number(
        change.decision,
        change.reason,
        change.item.key,
        change.item.signature,
        change.previous or "",
        change.uuid or "",
    )
