"""R13.

Whatever is scheduled in whatever order, the library ends as a plain model says, and nobody is told
otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.library.events import Event, NotesChanged, announce
from kassettui.library.library import Library
from tests.library.samples import put

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pytest

    from kassettui.library.engine import LibraryDatabase


class Write(NamedTuple):
    """One unit of work: sets a key, and then fails or not."""

    key: str
    value: int
    fails: bool


_WRITES = st.builds(Write, st.sampled_from("abcd"), st.integers(0, 9), st.booleans())
_BATCHES = st.lists(
    st.tuples(st.sampled_from(["single", "atomic", "isolated"]), st.lists(_WRITES, min_size=1, max_size=5)),
    max_size=12,
)


def _apply(db: LibraryDatabase, write: Write) -> int:
    put(db, write.key, str(write.value))
    announce(db, NotesChanged((write.key, str(write.value))))
    if write.fails:
        raise ValueError(write.key)
    return write.value


def _expected(batches: list[tuple[str, list[Write]]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    rows: dict[str, str] = {}
    told: list[tuple[str, str]] = []
    for kind, writes in batches:
        if kind == "atomic" and any(write.fails for write in writes):
            continue
        for write in writes:
            if not write.fails:
                rows[write.key] = str(write.value)
                told.append((write.key, str(write.value)))
    return rows, told


@settings(max_examples=40)
@given(_BATCHES)
def test_R13_batches_end_as_the_model_says(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[str, list[Write]]]
) -> None:
    path = str(tmp_path_factory.mktemp("model") / "library.db")
    told: list[Event] = []
    with Library.open(path, create=True) as library:
        library.events.subscribe(NotesChanged, told.append)
        futures: list[tuple[bool, Future[int]]] = []
        for kind, writes in batches:
            fails_together = kind == "atomic" and any(write.fails for write in writes)
            if kind == "single":
                futures += [(w.fails, library.operator.schedule_write(_apply, w)) for w in writes]
            else:
                calls = [(_apply, (write,)) for write in writes]
                scheduled = library.operator.schedule_write_batch(calls, atomic=kind == "atomic")
                futures += [
                    (fails_together or write.fails, future)
                    for write, future in zip(writes, scheduled, strict=True)
                ]
        assert library.operator.flush(30)
        for fails, future in futures:
            assert isinstance(future.exception(0), ValueError) is fails
        rows, events = _expected(batches)
        assert dict(library.read(lambda db: db.all("SELECT key, value FROM settings"))) == rows
        assert library.events.settle()
        assert [event.paths for event in told if isinstance(event, NotesChanged)] == events
