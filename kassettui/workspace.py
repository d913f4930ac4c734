"""The composition root: everything below, opened from the settings when it is first asked for.

The one object that cli/ and tui/ are given. It decides nothing; it puts parts together and takes them apart
in the right order.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from kassettui import paths
from kassettui.core.errors import KassettuiError, LibraryUnavailable
from kassettui.core.text import safe
from kassettui.observe import log
from kassettui.observe.metrics import Metrics, Reading

if TYPE_CHECKING:
    from types import TracebackType

    from kassettui.config import Settings
    from kassettui.files.operations import FileOperations
    from kassettui.jobs.queues import Jobs
    from kassettui.jobs.reservations import Reservations
    from kassettui.jobs.state import Snapshot
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.events import Events
    from kassettui.library.library import Library
    from kassettui.library.stats import Stats
    from kassettui.library.thumbnail_file import ThumbnailFile
    from kassettui.media.decoders import Decoders
    from kassettui.media.thumbnails import Thumbnails

COUNTS: Final = "metrics"
"""The key in the library's settings under which its metrics add up."""

_PATIENCE: Final = 5.0
"""Seconds that the last write may wait for another process."""

_log = log.get("workspace")


def configure_log(settings: Settings) -> None:
    """Send the log to its file, as the settings say. Nothing is made on disk by this."""

    def place() -> Path:
        paths.own_directory(paths.state_directory())
        return paths.log_file()

    log.configure(
        place,
        level=settings.log.level,
        max_bytes=settings.log.megabytes * 1_000_000,
        keep=settings.log.keep,
    )


def _log_decoder(line: str) -> None:
    _log.debug("decoder", line=line)


class Workspace:
    """Library, jobs, decoders, files, metrics: for one run of the program. A context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        library: str | os.PathLike[str] | None = None,
        create: bool = False,
        read_only: bool = False,
    ) -> None:
        self.settings = settings
        self.metrics = Metrics()
        """What this process counts. `counts` adds what was kept in the library before."""
        self.library_path = Path(os.path.abspath(library)) if library is not None else settings.library_path
        self.read_only = read_only
        self._create = create
        self._lock = threading.RLock()
        # Of its own, for opening may take long (a migration): the other parts are not to wait for it.
        self._library_lock = threading.Lock()
        self._closed = False
        self._library: Library | None = None
        self._jobs: Jobs | None = None
        self._reservations: Reservations | None = None
        self._files: FileOperations | None = None
        self._decoders: Decoders | None = None
        self._thumbnail_file: ThumbnailFile | None = None
        self._thumbnails: Thumbnails | None = None

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        library: str | os.PathLike[str] | None = None,
        create: bool = False,
        read_only: bool = False,
    ) -> Self:
        """A workspace on `library` (else the settings' one), its log going to the file.

        Nothing is opened or made yet: the first use of `library` does, and makes one that is missing only
        with `create`.
        """
        configure_log(settings)
        return cls(settings, library=library, create=create, read_only=read_only)

    @property
    def library(self) -> Library:
        """The library, opened by the first use.

        Raises what Library.open raises: NotFound where there is none, LibraryCorrupt, LibraryTooNew,
        LibraryBusy, LibraryUnavailable…
        """
        with self._library_lock:
            self._refuse_closed()
            if self._library is None:
                self._library = self._open_library()
                if self._closed:  # while it was opened: `close` may not have seen it
                    self._library.close()
                    self._refuse_closed()
            return self._library

    @property
    def events(self) -> Events:
        """What changes in the library, for who wants to know."""
        return self.library.events

    @property
    def jobs(self) -> Jobs:
        """The long work of this process."""
        with self._lock:
            self._refuse_closed()
            if self._jobs is None:
                from kassettui.jobs.queues import Jobs

                places = self.settings.jobs
                self._jobs = Jobs(
                    {"io": places.io, "scan": places.scan, "decode": places.decode},
                    places_on_device=places.device,
                    metrics=self.metrics,
                )
            return self._jobs

    @property
    def reservations(self) -> Reservations:
        """Free space that jobs have spoken for."""
        with self._lock:
            if self._reservations is None:
                from kassettui.jobs.reservations import Reservations

                self._reservations = Reservations()
            return self._reservations

    @property
    def files(self) -> FileOperations:
        """What copies, moves, renames and trashes, and takes it back."""
        from kassettui.files.operations import FileOperations

        library = self.library
        with self._lock:
            if self._files is None:
                self._files = FileOperations(library, self.jobs, self.reservations)
            return self._files

    @property
    def decoders(self) -> Decoders:
        """The processes that look into pictures and movies. None is started before there is work for it."""
        with self._lock:
            self._refuse_closed()
            if self._decoders is None:
                from kassettui.media.decoders import Decoders
                from kassettui.media.messages import WorkerSettings

                media, colour = self.settings.media, self.settings.colour
                self._decoders = Decoders(
                    WorkerSettings(
                        seconds=media.seconds,
                        memory=int(media.memory_gib * 1024**3),
                        pixels=media.megapixels * 1_000_000,
                        threads=max(1, min(4, os.cpu_count() or 1)),
                        display=colour.display,
                        view=colour.view,
                    ),
                    count=media.workers,
                    log=_log_decoder,
                    metrics=self.metrics,
                )
            return self._decoders

    @property
    def thumbnail_file(self) -> ThumbnailFile:
        """The thumbnails that are kept; made by the first that is."""
        with self._lock:
            self._refuse_closed()
            if self._thumbnail_file is None:
                from kassettui.library.thumbnail_file import ThumbnailFile

                self._thumbnail_file = ThumbnailFile(
                    os.fspath(paths.thumbnail_cache_file()),
                    limit_bytes=int(self.settings.media.thumbnails_gib * 1024**3),
                )
            return self._thumbnail_file

    @property
    def thumbnails(self) -> Thumbnails:
        """Pictures for whoever shows them: kept ones, else made by the decoders."""
        with self._lock:
            if self._thumbnails is None:
                from kassettui.media.thumbnails import Thumbnails

                self._thumbnails = Thumbnails(self.decoders, self.thumbnail_file, metrics=self.metrics)
            return self._thumbnails

    def counts(self) -> Metrics:
        """All that was counted on this library: what earlier processes kept in it, and this one so far."""
        from kassettui.library import settings

        together = Metrics()
        together.merge(self.library.read(settings.value_of, COUNTS))
        together.merge(self.metrics.dump())
        return together

    def readings(self) -> tuple[Reading, ...]:
        """What the library holds now, as levels beside the counts. One pass over its assets."""
        from kassettui.library.stats import stats

        return _readings(self.library.read(stats), self.library_path)

    def close(self, timeout: float = 2.0) -> tuple[Snapshot, ...]:
        """End everything, from the top down; a second time is nothing.

        Bounded: at most `timeout` seconds after the last job that stopped, then what the decoders take to end
        and the library to write what is queued, a few seconds each. Returns the jobs that did not stop.
        """
        with self._lock:
            if self._closed:
                return ()
            self._closed = True
            jobs = self._jobs
        stuck: tuple[Snapshot, ...] = ()
        with ExitStack() as then:  # the last one first, whatever the others raise
            then.callback(log.flush)
            then.callback(self._close_library)
            for part in (self._thumbnail_file, self._decoders, self._thumbnails):
                if part is not None:
                    then.callback(part.close)
            if jobs is not None:
                stuck = jobs.close(timeout)
        return stuck

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside ---------------------------------------------------------------------------------------------

    def _refuse_closed(self) -> None:
        if self._closed:
            raise KassettuiError("kassettui is closing.")

    def _open_library(self) -> Library:
        from kassettui.library.library import Library

        if self._create and not self.read_only:
            directory = self.library_path.parent
            try:
                if directory == paths.data_directory():
                    paths.own_directory(directory)
                else:
                    paths.private_directory(directory)
            except OSError as error:
                raise LibraryUnavailable(
                    f"The library's directory {safe(str(directory))} cannot be made: {error.strerror}.",
                    remedy="Choose another place with --library.",
                ) from error
        library = Library.open(
            os.fspath(self.library_path), create=self._create, read_only=self.read_only, metrics=self.metrics
        )
        for warning in library.warnings:
            _log.warning(warning)
        return library

    def _close_library(self) -> None:
        library = self._library
        if library is not None:
            self._keep_counts(library)
            library.close()

    def _keep_counts(self, library: Library) -> None:
        """Add what this process counted to what the library keeps, unless it changed nothing."""
        if self.read_only or not self.metrics.writes_done.total:
            return
        from kassettui.library.stats import stats

        try:
            written = library.operator.schedule_write(_add_counts, self.metrics.dump())
            kept = written.result(_PATIENCE)
            textfile = self.settings.metrics.textfile
            if textfile:
                together = Metrics()
                together.merge(kept)
                readings = _readings(library.read(stats), self.library_path)
                together.write_textfile(os.path.expanduser(textfile), readings)
        except (KassettuiError, OSError) as error:  # TimeoutError is an OSError
            _log.warning("the metrics could not be kept", error=str(error) or type(error).__name__)


def _readings(held: Stats, file: Path) -> tuple[Reading, ...]:
    by_kind = {kind: amount.assets for kind, amount in held.by_kind.items()}
    by_state = {state: amount.assets for state, amount in held.by_state.items()}
    return (
        Reading("library_assets", "Assets by kind", by_kind, label="kind"),
        Reading("library_assets_by_state", "Assets by state", by_state, label="state"),
        Reading("library_assets_approved", "Assets approved for broadcast", {"": held.approved}),
        Reading("library_assets_missing", "Assets that are no longer found", {"": held.missing}),
        Reading("library_asset_bytes", "Bytes of all assets on disk", {"": held.total.bytes}),
        Reading("library_holes", "Frames that are missing in sequences", {"": held.holes}),
        Reading("library_file_bytes", "Size of the library's file", {"": file.stat().st_size}),
    )


def _add_counts(db: LibraryDatabase, dump: dict[str, object]) -> dict[str, object]:
    """One transaction: read, add, write; so that two processes that end at once both count."""
    from kassettui.library import settings

    kept = Metrics()
    kept.merge(settings.value_of(db, COUNTS))
    kept.merge(dump)
    together = kept.dump()
    settings.keep(db, COUNTS, together)
    return together
