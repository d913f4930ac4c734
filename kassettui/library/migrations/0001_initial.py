"""The whole schema: collections and assets, folders, tags, versions, searches, runs, the file jobs' journal.

Times (`*_at`, last_ingest_time, missing_since) are microseconds since the epoch, UTC; `mtime_ns` is in
nanoseconds. Paths, names and keys are stored by `core.text.to_stored`. Booleans are 0 and 1. JSON is text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase

_COLLECTIONS = """
CREATE TABLE collections (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  external_id TEXT,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  root TEXT NOT NULL,
  root_device TEXT,
  source_type TEXT NOT NULL DEFAULT 'filesystem',
  sync_enabled INTEGER NOT NULL DEFAULT 1 CHECK (sync_enabled IN (0, 1)),
  ingestible INTEGER NOT NULL DEFAULT 1 CHECK (ingestible IN (0, 1)),
  watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1)),
  locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
  layout TEXT NOT NULL DEFAULT '',
  ignore_patterns TEXT NOT NULL DEFAULT '[]',
  config TEXT NOT NULL DEFAULT '{}',
  last_ingest_time INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (source_type, external_id)
) STRICT;
CREATE INDEX collections_by_name ON collections (name_key);
CREATE INDEX collections_by_root ON collections (root);
"""

# A layout's values repeat for every asset of a directory: each distinct set stands once, its values indexed.
_LAYOUTS = """
CREATE TABLE layouts (
  id INTEGER PRIMARY KEY,
  fields TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE layout_values (
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  layout_id INTEGER NOT NULL REFERENCES layouts (id) ON DELETE CASCADE,
  PRIMARY KEY (field, value, layout_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX layout_values_by_layout ON layout_values (layout_id);
"""

# AUTOINCREMENT: an id is never given again, so that what remembers one (events, marks, undo) never means
# another.
_ASSETS = """
CREATE TABLE assets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  collection_uuid TEXT NOT NULL REFERENCES collections (uuid) ON UPDATE CASCADE ON DELETE RESTRICT,
  canonical_key TEXT NOT NULL,
  key_version INTEGER NOT NULL DEFAULT 1,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'sequence', 'movie', 'audio', 'other')),
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'enriching', 'ready', 'retired')),
  approved_for_broadcast INTEGER NOT NULL DEFAULT 0 CHECK (approved_for_broadcast IN (0, 1)),
  operator_verified INTEGER NOT NULL DEFAULT 0 CHECK (operator_verified IN (0, 1)),
  is_deleted INTEGER NOT NULL DEFAULT 0 CHECK (is_deleted IN (0, 1)),
  deleted_at INTEGER,
  missing_since INTEGER,
  rating INTEGER CHECK (rating BETWEEN 0 AND 5),
  size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
  mtime_ns INTEGER,
  version_number INTEGER,
  layout_id INTEGER REFERENCES layouts (id) ON DELETE RESTRICT,
  name TEXT NOT NULL,
  extension TEXT NOT NULL DEFAULT '',
  path TEXT NOT NULL,
  frame_first INTEGER,
  frame_last INTEGER,
  frame_count INTEGER CHECK (frame_count >= 0),
  frame_step INTEGER,
  frame_padding INTEGER,
  hole_count INTEGER CHECK (hole_count >= 0),
  health TEXT,
  health_level INTEGER,
  health_at INTEGER,
  damaged_count INTEGER CHECK (damaged_count >= 0),
  width INTEGER,
  height INTEGER,
  pixel_aspect REAL,
  channels INTEGER,
  pixel_type TEXT,
  compression TEXT,
  colour_space TEXT,
  fps REAL,
  timecode TEXT,
  duration_ms INTEGER,
  video_codec TEXT,
  audio_codec TEXT,
  container TEXT,
  content_signature TEXT,
  content_hash TEXT,
  verified_at INTEGER,
  enricher_checksum TEXT,
  discovered_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  moved_to TEXT,
  last_error TEXT,
  title TEXT NOT NULL DEFAULT '',
  tag_text TEXT NOT NULL DEFAULT '',
  frame_ranges TEXT,
  expected_ranges TEXT,
  sequence_pattern TEXT,
  health_counts TEXT,
  health_frames TEXT,
  description TEXT NOT NULL DEFAULT '',
  metadata TEXT,
  UNIQUE (collection_uuid, canonical_key),
  CHECK (approved_for_broadcast = 0 OR state = 'ready'),
  CHECK ((is_deleted = 1) = (deleted_at IS NOT NULL))
) STRICT;
CREATE INDEX assets_by_path ON assets (path);
CREATE INDEX assets_by_name ON assets (name);
CREATE INDEX assets_by_mtime ON assets (mtime_ns);
CREATE INDEX assets_by_size ON assets (size);
CREATE INDEX assets_by_kind_and_state ON assets (kind, state);
CREATE INDEX assets_by_state ON assets (state);
CREATE INDEX assets_by_layout ON assets (layout_id) WHERE layout_id IS NOT NULL;
CREATE INDEX assets_by_rating ON assets (rating) WHERE rating IS NOT NULL;
CREATE INDEX assets_by_version ON assets (version_number) WHERE version_number IS NOT NULL;
CREATE INDEX assets_by_health ON assets (health) WHERE health IS NOT NULL;
CREATE INDEX assets_by_holes ON assets (hole_count) WHERE hole_count > 0;
CREATE INDEX assets_by_damage ON assets (damaged_count) WHERE damaged_count > 0;
CREATE INDEX assets_approved ON assets (approved_for_broadcast) WHERE approved_for_broadcast = 1;
CREATE INDEX assets_missing ON assets (missing_since) WHERE missing_since IS NOT NULL;
CREATE INDEX assets_deleted ON assets (deleted_at) WHERE is_deleted = 1;
CREATE INDEX assets_by_hash ON assets (content_hash) WHERE content_hash IS NOT NULL;
CREATE TABLE asset_enrichments (
  asset_id INTEGER NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
  enricher TEXT NOT NULL,
  version TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY (asset_id, enricher)
) STRICT, WITHOUT ROWID;
"""

# External content: the text stands in assets alone. Triggers keep the index in step whoever writes. A
# statement over many rows pays little for them; one statement a row pays fivefold, so bulk writes are
# staged (`staging`).
_FULL_TEXT = """
CREATE VIRTUAL TABLE assets_fts USING fts5(
  name, path, title, description, tag_text,
  content = 'assets', content_rowid = 'id', prefix = '1 2 3', columnsize = 0,
  tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER assets_fts_insert AFTER INSERT ON assets BEGIN
  INSERT INTO assets_fts (rowid, name, path, title, description, tag_text)
  VALUES (new.id, new.name, new.path, new.title, new.description, new.tag_text);
END;
CREATE TRIGGER assets_fts_delete AFTER DELETE ON assets BEGIN
  INSERT INTO assets_fts (assets_fts, rowid, name, path, title, description, tag_text)
  VALUES ('delete', old.id, old.name, old.path, old.title, old.description, old.tag_text);
END;
CREATE TRIGGER assets_fts_update AFTER UPDATE OF name, path, title, description, tag_text ON assets
WHEN old.name <> new.name OR old.path <> new.path OR old.title <> new.title
  OR old.description <> new.description OR old.tag_text <> new.tag_text
BEGIN
  INSERT INTO assets_fts (assets_fts, rowid, name, path, title, description, tag_text)
  VALUES ('delete', old.id, old.name, old.path, old.title, old.description, old.tag_text);
  INSERT INTO assets_fts (rowid, name, path, title, description, tag_text)
  VALUES (new.id, new.name, new.path, new.title, new.description, new.tag_text);
END;
"""

_SEARCHES_AND_FOLDERS = """
CREATE TABLE saved_searches (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  query TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE folders (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  parent_id INTEGER REFERENCES folders (id) ON DELETE RESTRICT,
  name TEXT NOT NULL CHECK (name <> '' AND instr(name, '/') = 0),
  search_id INTEGER REFERENCES saved_searches (id) ON DELETE RESTRICT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (parent_id, name),
  CHECK ((id = 1) = (parent_id IS NULL)),
  CHECK (id <> parent_id),
  CHECK (id <> 1 OR search_id IS NULL)
) STRICT;
CREATE INDEX folders_by_search ON folders (search_id) WHERE search_id IS NOT NULL;
CREATE TRIGGER folders_root_stays BEFORE DELETE ON folders WHEN old.id = 1 BEGIN
  SELECT RAISE(ABORT, 'the Root folder cannot be deleted');
END;
CREATE TRIGGER folders_root_keeps_place BEFORE UPDATE OF id ON folders WHEN old.id <> new.id BEGIN
  SELECT RAISE(ABORT, 'a folder keeps its id');
END;
CREATE TRIGGER folders_no_cycle BEFORE UPDATE OF parent_id ON folders
WHEN new.parent_id IS NOT NULL AND EXISTS (
  WITH RECURSIVE above (id) AS (
    SELECT new.parent_id UNION SELECT f.parent_id FROM folders f JOIN above ON f.id = above.id
    WHERE f.parent_id IS NOT NULL
  ) SELECT 1 FROM above WHERE id = old.id
) BEGIN
  SELECT RAISE(ABORT, 'a folder cannot lie inside itself');
END;
CREATE TABLE asset_folders (
  asset_id INTEGER NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
  folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE RESTRICT,
  sequence_pattern TEXT,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (asset_id, folder_id),
  UNIQUE (folder_id, sequence_pattern)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_folders_by_folder ON asset_folders (folder_id, asset_id);
"""

_TAGS = """
CREATE TABLE tags (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL CHECK (name <> ''),
  name_key TEXT NOT NULL UNIQUE CHECK (name_key <> ''),
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE asset_tags (
  asset_id INTEGER NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
  tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE RESTRICT,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (asset_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_tags_by_tag ON asset_tags (tag_id, asset_id);
"""

_VERSIONS = """
CREATE TABLE version_groups (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  entity_kind TEXT NOT NULL DEFAULT '',
  entity TEXT NOT NULL DEFAULT '',
  asset_key TEXT NOT NULL,
  head INTEGER NOT NULL DEFAULT 0 CHECK (head >= 0),
  best INTEGER NOT NULL DEFAULT 0,
  best_locked INTEGER NOT NULL DEFAULT 0 CHECK (best_locked IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (project, entity_kind, entity, asset_key),
  CHECK (best BETWEEN 0 AND head),
  CHECK ((entity_kind = '') = (entity = ''))
) STRICT;
CREATE INDEX version_groups_by_key ON version_groups (asset_key);
CREATE TABLE asset_versions (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  group_id INTEGER NOT NULL REFERENCES version_groups (id) ON DELETE RESTRICT,
  number INTEGER NOT NULL CHECK (number > 0),
  type TEXT NOT NULL CHECK (type IN ('image', 'sequence', 'video', 'audio', 'text', 'json')),
  data_kind TEXT NOT NULL CHECK (data_kind IN ('asset', 'path', 'uri', 'text')),
  data TEXT NOT NULL DEFAULT '',
  asset_id INTEGER REFERENCES assets (id) ON DELETE SET NULL,
  metadata TEXT NOT NULL DEFAULT '{}',
  approved INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
  size INTEGER,
  stored_hash TEXT,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  UNIQUE (group_id, number),
  CHECK (approved = 0 OR deleted_at IS NULL)
) STRICT;
CREATE INDEX asset_versions_by_asset ON asset_versions (asset_id) WHERE asset_id IS NOT NULL;
CREATE INDEX asset_versions_by_hash ON asset_versions (stored_hash) WHERE stored_hash IS NOT NULL;
"""

_RUNS = """
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL DEFAULT 'import',
  collection_uuid TEXT REFERENCES collections (uuid) ON UPDATE CASCADE ON DELETE SET NULL,
  collection_name TEXT NOT NULL,
  scope TEXT NOT NULL DEFAULT '{}',
  arguments TEXT NOT NULL DEFAULT '{}',
  status TEXT NOT NULL CHECK (status IN ('running', 'success', 'partial', 'error', 'cancelled')),
  code TEXT,
  message TEXT,
  program_version TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  discovered INTEGER NOT NULL DEFAULT 0,
  ingested INTEGER NOT NULL DEFAULT 0,
  updated INTEGER NOT NULL DEFAULT 0,
  moved INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  duplicates_prevented INTEGER NOT NULL DEFAULT 0,
  missing INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  frames INTEGER NOT NULL DEFAULT 0,
  reasons TEXT NOT NULL DEFAULT '{}',
  CHECK ((status = 'running') = (finished_at IS NULL))
) STRICT;
CREATE INDEX runs_by_collection ON runs (collection_uuid, started_at);
CREATE INDEX runs_by_time ON runs (started_at);
CREATE TABLE run_decisions (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  asset_id INTEGER REFERENCES assets (id) ON DELETE SET NULL,
  canonical_key TEXT NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX run_decisions_by_run ON run_decisions (run_id);
CREATE INDEX run_decisions_by_asset ON run_decisions (asset_id) WHERE asset_id IS NOT NULL;
"""

# One row a job, one a step. The undo stack is the finished jobs that are `undoable`, newest first; an entry
# that changed rows alone (a tag, a rating) has steps without paths, and `before` tells what stood there.
_JOURNAL = """
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'cancelling', 'cancelled',
    'failed', 'done', 'done_with_warnings')),
  request TEXT NOT NULL DEFAULT '{}',
  plan_digest TEXT,
  host TEXT,
  pid INTEGER,
  items_total INTEGER,
  bytes_total INTEGER,
  items_done INTEGER NOT NULL DEFAULT 0,
  bytes_done INTEGER NOT NULL DEFAULT 0,
  warnings TEXT NOT NULL DEFAULT '[]',
  error TEXT,
  undoable INTEGER NOT NULL DEFAULT 0 CHECK (undoable IN (0, 1)),
  undo_of INTEGER REFERENCES journal (id) ON DELETE SET NULL,
  undone_at INTEGER,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE INDEX journal_open ON journal (state) WHERE finished_at IS NULL;
CREATE INDEX journal_undo ON journal (finished_at) WHERE undoable = 1;
CREATE INDEX journal_by_undone ON journal (undo_of) WHERE undo_of IS NOT NULL;
CREATE TABLE journal_steps (
  job_id INTEGER NOT NULL REFERENCES journal (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped', 'undone')),
  source TEXT,
  destination TEXT,
  temporary TEXT,
  asset_id INTEGER,
  bytes INTEGER,
  size INTEGER,
  mtime_ns INTEGER,
  content_hash TEXT,
  before TEXT,
  error TEXT,
  finished_at INTEGER,
  PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_steps_open ON journal_steps (job_id, state)
  WHERE state IN ('pending', 'running', 'failed');
"""

_NOTES_AND_SETTINGS = """
CREATE TABLE path_notes (
  path TEXT PRIMARY KEY,
  title TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

_ROOT = """
INSERT INTO folders (id, uuid, parent_id, name, created_at, updated_at)
VALUES (1, '00000000-0000-4000-8000-000000000001', NULL, 'Root', 0, 0)
"""

_TABLES = (
    "settings",
    "path_notes",
    "journal_steps",
    "journal",
    "run_decisions",
    "runs",
    "asset_versions",
    "version_groups",
    "asset_tags",
    "tags",
    "asset_folders",
    "folders",
    "saved_searches",
    "assets_fts",
    "asset_enrichments",
    "assets",
    "layout_values",
    "layouts",
    "collections",
)


def up(db: LibraryDatabase) -> None:
    """An empty library."""
    for part in (
        _COLLECTIONS,
        _LAYOUTS,
        _ASSETS,
        _FULL_TEXT,
        _SEARCHES_AND_FOLDERS,
        _TAGS,
        _VERSIONS,
        _RUNS,
        _JOURNAL,
        _NOTES_AND_SETTINGS,
        _ROOT,
    ):
        db.execute_sql(part)


def down(db: LibraryDatabase) -> None:
    """An empty file: only the migration's own tests go there."""
    db.execute_sql("DROP TRIGGER folders_root_stays")
    for table in _TABLES:
        db.execute_sql(f"DROP TABLE {table}")
