"""What the versions package takes and gives: scopes, data, versions, groups, operations (library V1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kassettui.core.errors import InvalidInput, KassettuiError
from kassettui.core.text import from_stored, safe

MAX_NAME: Final = 500
MAX_TEXT: Final = 1_000_000
QUALITY: Final = ("evaluation", "quality_score")


class VersionType(StrEnum):
    """What a version is of."""

    IMAGE = "image"
    SEQUENCE = "sequence"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    JSON = "json"


class DataKind(StrEnum):
    """What a version's data names."""

    ASSET = "asset"
    PATH = "path"
    URI = "uri"
    TEXT = "text"


class Data(NamedTuple):
    """A version's data: an asset's uuid, an absolute path, a URI, or text itself."""

    kind: DataKind
    value: str


class Entity(NamedTuple):
    """One thing that versions are made of; without kind and name, the project itself."""

    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """A project, or some entities of one kind in it (`scene`, `shot`, `character`…: kinds are data)."""

    project: str
    kind: str = ""
    names: tuple[str, ...] = ()

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The entities, in order: versions and numbers come in this order."""
        return tuple(Entity(self.kind, name) for name in self.names) if self.kind else (Entity(),)

    def __str__(self) -> str:
        if not self.kind:
            return f"project {self.project}"
        shown = ", ".join(self.names[:4]) + (
            f" and {len(self.names) - 4} more" if len(self.names) > 4 else ""
        )
        return f"{self.kind} {shown} of project {self.project}"


class GroupKey(NamedTuple):
    """What makes a version group one: its project, entity and role (V1)."""

    project: str
    kind: str
    entity: str
    key: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `data` is in memory form, an asset's is its uuid ("" when it was purged).

    `approved` says so of the version or of its asset; `size` in bytes; times in µs since the epoch.
    """

    id: int
    uuid: str
    group_id: int
    number: int
    type: VersionType
    data: Data
    asset_id: int | None
    metadata: Mapping[str, Any] = field(hash=False)
    approved: bool
    best: bool
    size: int | None
    stored_hash: str | None
    created_at: int

    @property
    def quality(self) -> float | None:
        """`evaluation.quality_score` of its metadata, nested or dotted; None where it was not evaluated."""
        found = self.metadata.get(".".join(QUALITY))
        if found is None:
            outer = self.metadata.get(QUALITY[0])
            found = outer.get(QUALITY[1]) if isinstance(outer, Mapping) else None
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class Group:
    """All versions of one role of one entity. `head` is the highest number ever given, `best` 0 for none."""

    id: int
    uuid: str
    key: GroupKey
    head: int
    best: int
    locked: bool
    versions: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One `create_versions` of a batch."""

    scope: Scope
    key: str
    type: VersionType | str
    data: tuple[Data, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    set_best: bool = False


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """Which operation of a batch failed, and why."""

    index: int
    error: KassettuiError


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch made, in the order of its operations, and which of them failed (V3)."""

    versions: tuple[Version, ...]
    errors: tuple[OperationFailed, ...] = ()


def check_scope(scope: Scope, key: str) -> None:
    """Raises InvalidInput for a scope or key that names nothing."""
    for what, text in (("project", scope.project), ("key", key)):
        _check_name(what, text)
    if bool(scope.kind) != bool(scope.names):
        raise InvalidInput(f"A scope names entities of a kind: {safe(scope.kind or 'no kind')} has none.")
    if scope.kind:
        _check_name("entity kind", scope.kind)
    for name in scope.names:
        _check_name(scope.kind, name)
    if len(set(scope.names)) < len(scope.names):
        raise InvalidInput(f"The scope {safe(str(scope))} names an entity twice.")


def _check_name(what: str, text: str) -> None:
    if not text.strip() or len(text) > MAX_NAME or any(ord(character) < 32 for character in text):
        raise InvalidInput(f"A {safe(what)} has 1 to {MAX_NAME} characters on one line; not {safe(text)!r}.")


def check_count(scope: Scope, what: str, given: int) -> None:
    """One for each entity (V2). Raises InvalidInput naming scope, expected and got."""
    expected = len(scope.entities)
    if given != expected:
        raise InvalidInput(f"The scope {safe(str(scope))} expects {expected} {what}, got {given}.")


def check_type(text: VersionType | str) -> VersionType:
    """The type called so. Raises InvalidInput."""
    try:
        return VersionType(text)
    except ValueError as error:
        known = ", ".join(VersionType)
        raise InvalidInput(f"A version's type is one of {known}; not {safe(str(text))!r}.") from error


def check_data(data: Data, version_type: VersionType) -> None:
    """Raises InvalidInput for data that names nothing. Whether an asset exists is the library's to say."""
    if data.kind is DataKind.TEXT:
        if len(data.value) > MAX_TEXT:
            raise InvalidInput(f"A version's text may have {MAX_TEXT:,} characters.")
        if version_type is VersionType.JSON:
            try:
                json.loads(data.value)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"A version of type json needs JSON: {error}.") from error
        return
    if not data.value or "\0" in data.value:
        raise InvalidInput(f"A version's {data.kind} is empty.")
    if data.kind is DataKind.PATH and not data.value.startswith("/"):
        raise InvalidInput(f"A version's path is absolute; not {safe(data.value)!r}.")
    if data.kind is DataKind.URI and "://" not in data.value:
        raise InvalidInput(f"{safe(data.value)!r} is not a URI.")


def check_metadata(metadata: Mapping[str, Any]) -> str:
    """Metadata as the library keeps it. Raises InvalidInput for what is no JSON object."""
    try:
        text = json.dumps(dict(metadata), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"A version's metadata is a JSON object: {error}.") from error
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"A version's metadata may have {MAX_TEXT:,} characters.")
    return text


VERSION_COLUMNS: Final = (
    "v.id, v.uuid, v.group_id, v.number, v.type, v.data_kind, v.data, a.uuid, v.asset_id, v.metadata, "
    "v.approved OR coalesce(a.approved_for_broadcast, 0), v.number = g.best, v.size, v.stored_hash, "
    "v.created_at"
)
"""For `… FROM asset_versions v JOIN version_groups g … LEFT JOIN assets a ON a.id = v.asset_id`."""

VERSION_TABLES: Final = (
    "asset_versions v JOIN version_groups g ON g.id = v.group_id LEFT JOIN assets a ON a.id = v.asset_id"
)


def version_of(row: tuple[Any, ...]) -> Version:
    """The value of a row of VERSION_COLUMNS."""
    kind = DataKind(row[5])
    value = (row[7] or "") if kind is DataKind.ASSET else from_stored(row[6])
    return Version(
        row[0],
        row[1],
        row[2],
        row[3],
        VersionType(row[4]),
        Data(kind, value),
        row[8],
        json.loads(row[9]),
        bool(row[10]),
        bool(row[11]),
        *row[12:],
    )
