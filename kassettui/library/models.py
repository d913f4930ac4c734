"""The library's tables as peewee models: names and types of columns for composing queries, nothing else.

The schema itself (constraints, indexes, triggers) is made by the migrations; a test holds the two together.
Models belong to no database: bind per query (`AssetRow.select().bind(db)`). Rows leave the repositories as
frozen values, never as models. Times are microseconds since the epoch, UTC (`*_at`); `mtime_ns` is in
nanoseconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peewee

from kassettui.core.errors import LibraryCorrupt
from kassettui.core.text import from_stored, safe, to_stored

if TYPE_CHECKING:
    _Text = peewee.TextField[Any]
else:
    _Text = peewee.TextField


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class PathField(_Text):
    """File-system text (paths, names, keys, patterns), stored losslessly whatever its bytes."""

    def db_value(self, value: str | None) -> str | None:
        """Memory form → stored form."""
        return None if value is None else to_stored(value)

    def python_value(self, value: str | None) -> str | None:
        """Stored form → memory form."""
        return None if value is None else from_stored(value)


class JsonField(_Text):
    """A JSON value. ASCII only, so that undecodable bytes in names survive as escapes."""

    def db_value(self, value: Any) -> str | None:
        """A value → its canonical text: keys sorted, no blanks."""
        return None if value is None else json_text(value)

    def python_value(self, value: str | None) -> Any:
        """Text → value."""
        return None if value is None else json_value(value)


def json_value(text: str) -> Any:
    """The value of a stored JSON text. Raises LibraryCorrupt: what is no JSON was not written by us."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise LibraryCorrupt(
            f"The library holds text that is damaged: {safe(str(error))}.",
            remedy="Look closer with: kassettui library check",
        ) from error


def json_text(value: object) -> str:
    """The canonical JSON text of `value`: equal values give equal text."""
    return _ENCODER.encode(value)


class Table(peewee.Model):
    """What all models share: no database of their own."""

    class Meta:
        database = None
        legacy_table_names = False


class CollectionRow(Table):
    """A named source root that is ingested."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    external_id = peewee.TextField(null=True)
    name = peewee.TextField()
    name_key = peewee.TextField()
    root = PathField()
    root_device = peewee.TextField(null=True)
    source_type = peewee.TextField(default="filesystem")
    sync_enabled = peewee.BooleanField(default=True)
    ingestible = peewee.BooleanField(default=True)
    watched = peewee.BooleanField(default=False)
    locked = peewee.BooleanField(default=False)
    layout = peewee.TextField(default="")
    ignore_patterns = JsonField(default=list)
    config = JsonField(default=dict)
    last_ingest_time = peewee.IntegerField(null=True)
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "collections"


class LayoutRow(Table):
    """One distinct set of layout fields ({"show": …, "shot": …}); assets point at it."""

    id = peewee.AutoField()
    fields = JsonField(unique=True)

    class Meta:
        table_name = "layouts"


class LayoutValueRow(Table):
    """One field of a layout, for searching."""

    field = peewee.TextField()
    value = PathField()
    layout = peewee.ForeignKeyField(LayoutRow, backref="values")

    class Meta:
        table_name = "layout_values"
        primary_key = peewee.CompositeKey("field", "value", "layout")


class AssetRow(Table):
    """An image, sequence, movie, audio or other file of a collection."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    collection_uuid = peewee.TextField()
    canonical_key = PathField()
    key_version = peewee.IntegerField(default=1)
    kind = peewee.TextField()
    state = peewee.TextField(default="new")
    approved_for_broadcast = peewee.BooleanField(default=False)
    operator_verified = peewee.BooleanField(default=False)
    is_deleted = peewee.BooleanField(default=False)
    deleted_at = peewee.IntegerField(null=True)
    missing_since = peewee.IntegerField(null=True)
    rating = peewee.IntegerField(null=True)
    size = peewee.IntegerField(default=0)
    mtime_ns = peewee.IntegerField(null=True)
    version_number = peewee.IntegerField(null=True)
    layout = peewee.ForeignKeyField(LayoutRow, null=True, backref="assets")
    name = PathField()
    extension = PathField(default="")
    path = PathField()
    frame_first = peewee.IntegerField(null=True)
    frame_last = peewee.IntegerField(null=True)
    frame_count = peewee.IntegerField(null=True)
    frame_step = peewee.IntegerField(null=True)
    frame_padding = peewee.IntegerField(null=True)
    hole_count = peewee.IntegerField(null=True)
    health = peewee.TextField(null=True)
    health_level = peewee.IntegerField(null=True)
    health_at = peewee.IntegerField(null=True)
    damaged_count = peewee.IntegerField(null=True)
    width = peewee.IntegerField(null=True)
    height = peewee.IntegerField(null=True)
    pixel_aspect = peewee.FloatField(null=True)
    channels = peewee.IntegerField(null=True)
    pixel_type = peewee.TextField(null=True)
    compression = peewee.TextField(null=True)
    colour_space = peewee.TextField(null=True)
    fps = peewee.FloatField(null=True)
    timecode = peewee.TextField(null=True)
    duration_ms = peewee.IntegerField(null=True)
    video_codec = peewee.TextField(null=True)
    audio_codec = peewee.TextField(null=True)
    container = peewee.TextField(null=True)
    content_signature = peewee.TextField(null=True)
    content_hash = peewee.TextField(null=True)
    verified_at = peewee.IntegerField(null=True)
    enricher_checksum = peewee.TextField(null=True)
    discovered_at = peewee.IntegerField()
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()
    moved_to = PathField(null=True)
    last_error = PathField(null=True)
    title = PathField(default="")
    tag_text = PathField(default="")
    frame_ranges = peewee.TextField(null=True)
    expected_ranges = peewee.TextField(null=True)
    sequence_pattern = PathField(null=True)
    health_counts = JsonField(null=True)
    health_frames = JsonField(null=True)
    description = PathField(default="")
    metadata = JsonField(null=True)

    class Meta:
        table_name = "assets"


class AssetEnrichmentRow(Table):
    """That an enricher has run over an asset's present content, and how it ended."""

    asset = peewee.ForeignKeyField(AssetRow, backref="enrichments")
    enricher = peewee.TextField()
    version = peewee.TextField()
    finished_at = peewee.IntegerField()
    error = PathField(null=True)

    class Meta:
        table_name = "asset_enrichments"
        primary_key = peewee.CompositeKey("asset", "enricher")


class SavedSearchRow(Table):
    """A query with a name; `@name` in selectors."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    name = peewee.TextField()
    name_key = peewee.TextField(unique=True)
    query = PathField()
    description = peewee.TextField(default="")
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "saved_searches"


class FolderRow(Table):
    """A virtual folder; id 1 is Root. With a search it is a smart folder."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    parent = peewee.ForeignKeyField("self", null=True, backref="children")
    name = PathField()
    search = peewee.ForeignKeyField(SavedSearchRow, null=True, backref="folders")
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "folders"


class AssetFolderRow(Table):
    """An asset in a folder. `sequence_pattern` is the asset's, with its whole path."""

    asset = peewee.ForeignKeyField(AssetRow, backref="memberships")
    folder = peewee.ForeignKeyField(FolderRow, backref="memberships")
    sequence_pattern = PathField(null=True)
    added_at = peewee.IntegerField()

    class Meta:
        table_name = "asset_folders"
        primary_key = peewee.CompositeKey("asset", "folder")


class TagRow(Table):
    """A tag; `a/b` lies under `a`. `name_key` is the normalised name."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    name = PathField()
    name_key = PathField(unique=True)
    created_at = peewee.IntegerField()

    class Meta:
        table_name = "tags"


class AssetTagRow(Table):
    """A tag on an asset. Whoever writes it keeps `assets.tag_text` in step."""

    asset = peewee.ForeignKeyField(AssetRow, backref="taggings")
    tag = peewee.ForeignKeyField(TagRow, backref="taggings")
    added_at = peewee.IntegerField()

    class Meta:
        table_name = "asset_tags"
        primary_key = peewee.CompositeKey("asset", "tag")


class VersionGroupRow(Table):
    """All versions of one role of one entity (V1). `best` 0: none."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    project = PathField()
    entity_kind = peewee.TextField(default="")
    entity = PathField(default="")
    asset_key = PathField()
    head = peewee.IntegerField(default=0)
    best = peewee.IntegerField(default=0)
    best_locked = peewee.BooleanField(default=False)
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "version_groups"


class AssetVersionRow(Table):
    """One version. A deleted one stays as a tombstone: `deleted_at`."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    group = peewee.ForeignKeyField(VersionGroupRow, backref="versions")
    number = peewee.IntegerField()
    type = peewee.TextField()
    data_kind = peewee.TextField()
    data = PathField(default="")
    asset = peewee.ForeignKeyField(AssetRow, null=True, backref="versions")
    metadata = JsonField(default=dict)
    approved = peewee.BooleanField(default=False)
    size = peewee.IntegerField(null=True)
    stored_hash = peewee.TextField(null=True)
    created_at = peewee.IntegerField()
    deleted_at = peewee.IntegerField(null=True)

    class Meta:
        table_name = "asset_versions"


class RunRow(Table):
    """One ingest of one collection or a scope of it."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    kind = peewee.TextField(default="import")
    collection_uuid = peewee.TextField(null=True)
    collection_name = peewee.TextField()
    scope = JsonField(default=dict)
    arguments = JsonField(default=dict)
    status = peewee.TextField()
    code = peewee.TextField(null=True)
    message = PathField(null=True)
    program_version = peewee.TextField()
    started_at = peewee.IntegerField()
    finished_at = peewee.IntegerField(null=True)
    discovered = peewee.IntegerField(default=0)
    ingested = peewee.IntegerField(default=0)
    updated = peewee.IntegerField(default=0)
    moved = peewee.IntegerField(default=0)
    skipped = peewee.IntegerField(default=0)
    duplicates_prevented = peewee.IntegerField(default=0)
    missing = peewee.IntegerField(default=0)
    errors = peewee.IntegerField(default=0)
    bytes = peewee.IntegerField(default=0)
    frames = peewee.IntegerField(default=0)
    reasons = JsonField(default=dict)

    class Meta:
        table_name = "runs"


class RunDecisionRow(Table):
    """What a run did with an item, and why. Bounded: the newest are kept."""

    id = peewee.AutoField()
    run = peewee.ForeignKeyField(RunRow, backref="decisions")
    asset = peewee.ForeignKeyField(AssetRow, null=True, backref="decisions")
    canonical_key = PathField()
    decision = peewee.TextField()
    reason = peewee.TextField()
    detail = PathField(null=True)

    class Meta:
        table_name = "run_decisions"


class JournalRow(Table):
    """A file job, or one undoable change of rows: what was asked, how far it came, whether it was undone."""

    id = peewee.AutoField()
    uuid = peewee.TextField(unique=True)
    kind = peewee.TextField()
    title = PathField()
    state = peewee.TextField()
    request = JsonField(default=dict)
    plan_digest = peewee.TextField(null=True)
    host = peewee.TextField(null=True)
    pid = peewee.IntegerField(null=True)
    items_total = peewee.IntegerField(null=True)
    bytes_total = peewee.IntegerField(null=True)
    items_done = peewee.IntegerField(default=0)
    bytes_done = peewee.IntegerField(default=0)
    warnings = JsonField(default=list)
    error = PathField(null=True)
    undoable = peewee.BooleanField(default=False)
    undo_of = peewee.ForeignKeyField("self", null=True, column_name="undo_of")
    undone_at = peewee.IntegerField(null=True)
    queued_at = peewee.IntegerField()
    started_at = peewee.IntegerField(null=True)
    finished_at = peewee.IntegerField(null=True)

    class Meta:
        table_name = "journal"


class JournalStepRow(Table):
    """One step of a job: its plan and its outcome; `before` is what undo needs."""

    job = peewee.ForeignKeyField(JournalRow, backref="steps")
    number = peewee.IntegerField()
    kind = peewee.TextField()
    state = peewee.TextField(default="pending")
    source = PathField(null=True)
    destination = PathField(null=True)
    temporary = PathField(null=True)
    asset_id = peewee.IntegerField(null=True)
    bytes = peewee.IntegerField(null=True)
    size = peewee.IntegerField(null=True)
    mtime_ns = peewee.IntegerField(null=True)
    content_hash = peewee.TextField(null=True)
    before = JsonField(null=True)
    error = PathField(null=True)
    finished_at = peewee.IntegerField(null=True)

    class Meta:
        table_name = "journal_steps"
        primary_key = peewee.CompositeKey("job", "number")


class PathNoteRow(Table):
    """Title and description of a path that is no asset (L6)."""

    path = PathField(primary_key=True)
    title = PathField(default="")
    description = PathField(default="")
    created_at = peewee.IntegerField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "path_notes"


class SettingRow(Table):
    """A value that the program keeps for itself (what a folder looked like…)."""

    key = peewee.TextField(primary_key=True)
    value = JsonField()
    updated_at = peewee.IntegerField()

    class Meta:
        table_name = "settings"


MODELS: tuple[type[Table], ...] = (
    CollectionRow,
    LayoutRow,
    LayoutValueRow,
    AssetRow,
    AssetEnrichmentRow,
    SavedSearchRow,
    FolderRow,
    AssetFolderRow,
    TagRow,
    AssetTagRow,
    VersionGroupRow,
    AssetVersionRow,
    RunRow,
    RunDecisionRow,
    JournalRow,
    JournalStepRow,
    PathNoteRow,
    SettingRow,
)
