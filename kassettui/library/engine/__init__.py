"""The engine under the library: everything that would differ on another database stands here.

It opens connections with their settings, compiles and runs bulk statements, keeps the full-text index's own
commands, and turns the engine's errors into ours. Only the operator (and what works on copies: backup, check)
opens connections.

The binding is apsw through playhouse.apsw_ext, not the standard sqlite3 module, because it brings its own
current SQLite. Versions 3.7.0 to 3.51.2 can corrupt a WAL database when two connections write or checkpoint
at the same moment, and two processes on one library must work (L3); the system's SQLite on a render server is
nearly always one of those. apsw also gives extended result codes, a busy handler of our own, checkpoints and
the online backup.
"""

from kassettui.library.engine.connections import (
    LibraryDatabase,
    Mode,
    Row,
    abandon,
    close,
    end_transaction,
    may_be_frozen,
    open_database,
    require_application,
    tidy,
)
from kassettui.library.engine.errors import (
    ERRORS,
    Trouble,
    is_engine_error,
    translated,
    trouble,
)
from kassettui.library.engine.journals import (
    bury,
    checkpoint,
    choose_journal,
    journal_mode,
    set_synchronous,
    watch_wal,
)
from kassettui.library.engine.statements import (
    SOUND_SQLITE,
    copy_into,
    executemany,
    full_text_fault,
    integrity_check,
    pattern_fault,
    quick_check,
    sqlite_version,
)

__all__ = [
    "ERRORS",
    "SOUND_SQLITE",
    "LibraryDatabase",
    "Mode",
    "Row",
    "Trouble",
    "abandon",
    "bury",
    "checkpoint",
    "choose_journal",
    "close",
    "copy_into",
    "end_transaction",
    "executemany",
    "full_text_fault",
    "integrity_check",
    "is_engine_error",
    "journal_mode",
    "may_be_frozen",
    "open_database",
    "pattern_fault",
    "quick_check",
    "require_application",
    "set_synchronous",
    "sqlite_version",
    "tidy",
    "translated",
    "trouble",
    "watch_wal",
]
