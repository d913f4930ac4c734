"""Log & jobs: what runs, on top; what was said, below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from rich.segment import Segment
from rich.text import Text
from textual.containers import Vertical

from kassettui.core.errors import KassettuiError
from kassettui.jobs.state import JobState
from kassettui.observe import log
from kassettui.observe.entries import Entry, Level
from kassettui.tui import drawing
from kassettui.tui.actions import Where
from kassettui.tui.dialogs import Question
from kassettui.tui.lists.virtual import VirtualList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from kassettui.jobs.state import Snapshot
    from kassettui.tui.app import Kassettui
    from kassettui.tui.theme import Paint

_SIGNS: Final = {
    JobState.QUEUED: ("○", "dim"),
    JobState.RUNNING: ("▶", "accent"),
    JobState.PAUSING: ("‖", "warn"),
    JobState.PAUSED: ("‖", "warn"),
    JobState.CANCELLING: ("◌", "warn"),
    JobState.CANCELLED: ("◌", "dim"),
    JobState.FAILED: ("✖", "bad"),
    JobState.DONE: ("✓", "good"),
    JobState.DONE_WITH_WARNINGS: ("▲", "warn"),
}
_LEVELS: Final = (Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR)
_LEVEL_SIGNS: Final = {Level.DEBUG: ("·", "faint"), Level.INFO: ("·", "dim"), Level.WARNING: ("▲", "warn")}


class JobList(VirtualList):
    """Jobs as rows: the newest first."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._jobs: dict[str, Snapshot] = {}
        self._order: list[str] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._order)

    @property
    def current(self) -> Snapshot | None:
        """The job at the cursor."""
        return self._jobs[self._order[self.cursor]] if self._order else None

    def take(self, snapshot: Snapshot) -> None:
        """News of a job."""
        known = snapshot.job_id in self._jobs
        self._jobs[snapshot.job_id] = snapshot
        if known:
            self.refresh_row(self._order.index(snapshot.job_id))
            return
        self._order.insert(0, snapshot.job_id)
        if self.cursor:
            self.cursor += 1
        for gone in self._order[200:]:
            del self._jobs[gone]
        del self._order[200:]
        self.rows_changed()

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One job."""
        job = self._jobs[self._order[index]]
        sign, style = _SIGNS[job.state]
        words = _job_words(job)
        share = job_share(job)
        room = max(10, width - 15 - 12 - min(34, len(words)) - 4)
        return [
            Segment(f" {sign} ", getattr(paint, style)),
            drawing.cell(str(job.state).replace("_", " "), 10, paint.dim),
            Segment(" ", paint.text),
            drawing.name_cell(job.title, room, paint.text),
            Segment(f" {'' if share is None else drawing.bar(share, 10):10} ", paint.accent),
            drawing.cell(words, max(0, width - 15 - 12 - room), paint.bad if job.error else paint.dim),
        ]

    def draw_empty(self, line: int, width: int, paint: Paint) -> list[Segment]:
        """Nothing runs."""
        return (
            [drawing.cell("   No jobs yet. An import from the Library place is one.", width, paint.dim)]
            if (line == 1)
            else []
        )


def job_share(job: Snapshot) -> float | None:
    """How much of the present phase is done, 0 to 1."""
    if job.state in {JobState.DONE, JobState.DONE_WITH_WARNINGS}:
        return 1.0
    for done, total in ((job.bytes_done, job.bytes_total), (job.items_done, job.items_total)):
        if total:
            return done / total
    return None


def _job_words(job: Snapshot) -> str:
    if job.error:
        return job.error
    words = [job.phase] if job.phase and not job.ended else []
    if job.items_total:
        words.append(f"{job.items_done:,}/{job.items_total:,}")
    elif job.items_done:
        words.append(f"{job.items_done:,}")
    if job.speed and job.bytes_done:
        words.append(f"{drawing.size(int(job.speed))}/s")
    if job.eta:
        words.append(f"{drawing.clock(job.eta)} left")
    if job.warning_count:
        words.append(drawing.plural(job.warning_count, "warning"))
    return " · ".join(words)


class LogList(VirtualList):
    """The last lines of the log; it follows only while its cursor stands at the end."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._level = Level.INFO
        self._entries: list[Entry] = []

    @property
    def count(self) -> int:
        """How many lines are shown."""
        return len(self._entries)

    @property
    def level(self) -> Level:
        """The least weight that is shown."""
        return self._level

    def read(self) -> None:
        """Take what the ring has now."""
        follows = self.cursor >= self.count - 1
        self._entries = [entry for entry in log.recent() if entry.level >= self._level]
        self.rows_changed()
        if follows and self._entries:
            self.move_to(self.count - 1)

    def next_level(self) -> None:
        """The next heavier level; after the heaviest all."""
        self._level = _LEVELS[(_LEVELS.index(self._level) + 1) % len(_LEVELS)]
        self.read()

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One line."""
        entry = self._entries[index]
        sign, style = _LEVEL_SIGNS.get(entry.level, ("✖", "bad"))
        more = "  ".join(f"{name}={value}" for name, value in entry.fields.items() if name != "exception")
        head = f"{entry.time[11:19]:8} {entry.logger:16} "
        return [
            Segment(f" {sign} ", getattr(paint, style)),
            drawing.cell(head, min(len(head), max(9, width // 3)), paint.dim),
            drawing.cell(
                f"{entry.event}  {more}", max(4, width - 3 - min(len(head), max(9, width // 3))), paint.text
            ),
        ]

    def draw_empty(self, line: int, width: int, paint: Paint) -> list[Segment]:
        """Nothing was said."""
        return [drawing.cell("   Nothing was said yet.", width, paint.dim)] if line == 1 else []


class LogPlace(Vertical):
    """Jobs and log."""

    where = Where.LOG

    @property
    def home(self) -> Kassettui:
        """The app, by its type."""
        return cast("Kassettui", self.app)

    def compose(self) -> ComposeResult:
        """Two panes."""
        jobs = JobList(id="jobs")
        jobs.border_title = Text("Jobs")
        yield jobs
        lines = LogList(id="lines")
        lines.border_title = Text("Log")
        yield lines

    def on_mount(self) -> None:
        """What was said so far."""
        self._told()

    @property
    def main_list(self) -> VirtualList:
        """Where the keys of lists go when no list has the focus."""
        return self.jobs

    @property
    def jobs(self) -> JobList:
        """The jobs."""
        return self.query_one(JobList)

    @property
    def lines(self) -> LogList:
        """The log."""
        return self.query_one(LogList)

    def _told(self) -> None:
        self.lines.read()
        name = self.lines.level.name.lower()
        self.lines.border_subtitle = Text(f"{name} and above · {self.lines.count:,} lines")

    def log_changed(self) -> None:
        """There are new lines."""
        if self.display:
            self._told()

    def do_job_cancel(self) -> None:
        """Stop the job at the cursor."""
        if job := self.jobs.current:
            self.home.workspace.jobs.get(job.job_id).cancel()

    def do_job_pause(self) -> None:
        """Hold it, or let it go on."""
        if job := self.jobs.current:
            handle = self.home.workspace.jobs.get(job.job_id)
            if handle.state in {JobState.PAUSED, JobState.PAUSING}:
                handle.resume()
            else:
                handle.pause()

    def do_job_retry(self) -> None:
        """Do it again."""
        if job := self.jobs.current:
            try:
                jobs = self.home.workspace.jobs
                jobs.retry(jobs.get(job.job_id))
            except KassettuiError as error:
                self.home.complain(error)

    def do_job_cancel_all(self) -> None:
        """Stop all of them, after a question."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.home.workspace.jobs.cancel_all()

        if self.home.workspace.jobs.busy:
            self.app.push_screen(Question("Jobs", "Cancel every job?", "cancel all"), answered)

    def do_log_level(self) -> None:
        """The next level."""
        self.lines.next_level()
        self._told()

    def do_log_clear(self) -> None:
        """Forget the lines."""
        log.clear_recent()
        self._told()
