"""The one place where an asset's state changes (spec: ingest I11-I13).

new → enriching → ready → retired; enriching → new when it failed; any → retired. The library's CHECK
constraints stand behind these functions; whoever writes state or approved_for_broadcast got the value here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kassettui.core.errors import Refused
from kassettui.core.kinds import Kind, kind_of


class State(StrEnum):
    """Where an asset stands."""

    NEW = "new"
    ENRICHING = "enriching"
    READY = "ready"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Standing:
    """An asset's state and what hangs on it. `approved` implies ready (I12)."""

    state: State
    approved: bool = False
    deleted: bool = False

    def __post_init__(self) -> None:
        if self.approved and self.state is not State.READY:
            raise Refused(f"An asset that is {self.state} cannot be approved.")

    @property
    def deliverable(self) -> bool:
        """Ready, approved and not deleted (I13)."""
        return self.state is State.READY and self.approved and not self.deleted


@dataclass(frozen=True, slots=True)
class Measured:
    """What `ready` asks about. Unknown is None; width and height in pixels, duration in ms."""

    extension: str = ""
    width: int | None = None
    height: int | None = None
    frame_count: int | None = None
    duration_ms: int | None = None


def created() -> Standing:
    """How every asset begins (I12)."""
    return Standing(State.NEW)


def updated(standing: Standing) -> Standing:
    """After its content or the enrichers changed: new again, approval gone (I11). Retired stays retired."""
    state = State.RETIRED if standing.state is State.RETIRED else State.NEW
    return Standing(state, approved=False, deleted=standing.deleted)


def enriching(standing: Standing) -> Standing:
    """An enricher takes it up. Raises Refused unless it is new or was left enriching by a kill."""
    if standing.state not in (State.NEW, State.ENRICHING):
        raise Refused(f"An asset that is {standing.state} is not enriched; update it first.")
    return Standing(State.ENRICHING, deleted=standing.deleted)


def lacks(kind: Kind, measured: Measured) -> str | None:
    """What `kind` needs for ready and `measured` does not have, or None (I13).

    Images need pixels; sequences frames, and pixels where their frames are pictures; movies and audio a
    duration; other files nothing.
    """
    if kind in (Kind.MOVIE, Kind.AUDIO):
        return None if (measured.duration_ms or 0) > 0 else "its duration is not known"
    if kind is Kind.OTHER:
        return None
    if kind is Kind.SEQUENCE:
        if (measured.frame_count or 0) <= 0:
            return "it has no frames"
        if kind_of(measured.extension) is not Kind.IMAGE:
            return None
    if (measured.width or 0) <= 0 or (measured.height or 0) <= 0:
        return "its pixels are not known"
    return None


def enriched(standing: Standing, kind: Kind, measured: Measured) -> tuple[Standing, str | None]:
    """After every enricher ran: ready, or new with what it lacks (I13). Raises Refused unless enriching."""
    if standing.state is not State.ENRICHING:
        raise Refused(f"An asset that is {standing.state} cannot become ready.")
    missing = lacks(kind, measured)
    state = State.READY if missing is None else State.NEW
    return Standing(state, deleted=standing.deleted), missing


def failed(standing: Standing) -> Standing:
    """After an enricher failed: new again, the caller keeps the error. Raises Refused unless enriching."""
    if standing.state is not State.ENRICHING:
        raise Refused(f"An asset that is {standing.state} cannot fail to be enriched.")
    return Standing(State.NEW, deleted=standing.deleted)


def retired(standing: Standing) -> Standing:
    """Taken out of use, from any state; approval goes with it (I12, I13)."""
    return Standing(State.RETIRED, deleted=standing.deleted)


def approved(standing: Standing) -> Standing:
    """A person's approval. Raises Refused unless ready and not deleted (I13)."""
    if standing.state is not State.READY:
        raise Refused(f"Only a ready asset can be approved; this one is {standing.state}.")
    if standing.deleted:
        raise Refused("A deleted asset cannot be approved.")
    return Standing(State.READY, approved=True)


def unapproved(standing: Standing) -> Standing:
    """A person took the approval back."""
    return Standing(standing.state, approved=False, deleted=standing.deleted)
