"""Where things live: settings, library, cache, log, themes (XDG, through platformdirs): asked, not at import.

What we make is private: directories 0700, whatever the umask says (spec: reliability, Security).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

_NAME: Final = "kassettui"
_PRIVATE: Final = 0o700
_OTHERS: Final = 0o077


def _places() -> PlatformDirs:
    # 6 ms to import, so only when a place is wanted; the environment is read each time, so tests can move it.
    from platformdirs import PlatformDirs

    return PlatformDirs(_NAME, appauthor=False)


def config_directory() -> Path:
    """Settings, keymaps, own themes. Not made by asking."""
    return Path(_places().user_config_dir)


def config_file() -> Path:
    """The settings' default place."""
    return config_directory() / "config.toml"


def data_directory() -> Path:
    """What must not be lost: the library and its backups. Not made by asking."""
    return Path(_places().user_data_dir)


def default_library_path() -> Path:
    """The library that is used when none is named."""
    return data_directory() / "library.kassettui"


def cache_directory() -> Path:
    """What can be made again. Not made by asking."""
    return Path(_places().user_cache_dir)


def thumbnail_cache_file() -> Path:
    """The thumbnails' own database; it may be deleted at any time (P8)."""
    return cache_directory() / "thumbnails.db"


def state_directory() -> Path:
    """What a run leaves behind: the log, the screen's context. Not made by asking."""
    return Path(_places().user_state_dir)


def log_file() -> Path:
    """The log that is written to now; older ones are beside it with a number."""
    return state_directory() / "kassettui.log"


def themes_directory() -> Path:
    """The themes that come with the program: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    shipped = package / "themes"
    return shipped if shipped.is_dir() else package.parent / "themes"


def own_themes_directory() -> Path:
    """The user's own themes. Not made by asking."""
    return config_directory() / "themes"


def private_directory(path: str | os.PathLike[str]) -> Path:
    """`path` as a directory; what was missing of it is made, and only for us (0700, umask-proof).

    A directory that was there stays as it is: it may be shared on purpose. Raises OSError.
    """
    missing: list[Path] = []
    at = Path(path)
    while not at.is_dir():
        missing.append(at)
        if at.parent == at:
            break
        at = at.parent
    for directory in reversed(missing):
        try:
            os.mkdir(directory, _PRIVATE)
        except FileExistsError:
            if not directory.is_dir():
                raise
        else:
            os.chmod(directory, _PRIVATE)
    return Path(path)


def own_directory(path: str | os.PathLike[str]) -> Path:
    """One of our own directories, made if it was missing, closed to others if it was open. Raises OSError."""
    directory = private_directory(path)
    status = directory.stat()
    if status.st_uid == os.geteuid() and status.st_mode & _OTHERS:
        os.chmod(directory, status.st_mode & ~_OTHERS & 0o7777)
    return directory
