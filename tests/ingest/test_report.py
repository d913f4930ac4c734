"""What a run answers and tells (I26, I27), and names that are not text (R8)."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kassettui.core.text import from_stored
from kassettui.ingest.progress import Decided, Event, Finished, Phase, Progressed, Started
from kassettui.ingest.report import Report, Status, iso_utc
from kassettui.ingest.source import ItemError
from kassettui.library import runs
from tests.ingest.trees import bring_in, frames, rows, touch, write

if TYPE_CHECKING:
    from kassettui.library.library import Library

KEYS = [
    "schema_version",
    "type",
    "status",
    "run_id",
    "collection_id",
    "collection",
    "scope",
    "stats",
    "created_assets",
    "updated_assets",
    "errors",
    "last_ingest_time",
    "duration_ms",
]
STATS = [
    "discovered",
    "ingested",
    "updated",
    "moved",
    "skipped",
    "duplicates_prevented",
    "missing",
    "errors",
    "bytes",
    "frames",
]

NAMES = [
    b"caf\xe9.exr",
    b"two\nlines.png",
    b"\x1b]0;title\x07.png",
    b"\x1b]52;c;aGk=\x07.png",
    b"[red]x.png",
    b"[/].png",  # in a directory "["
    b'\'"quotes".jpg',
    b"-rf.png",
    b" edges .png",
    "nfc-\u00e9.png".encode(),
    "nfd-e\u0301.png".encode(),
    b"Case.png",
    b"case.png",
    b"%s;rm $(x).png",
    "\u202egnp.png".encode(),
    "zero\u200bwidth.png".encode(),
    "\U0001f3ac.mov".encode(),
    b"\x1a41.png",
    b"a" * 251 + b".png",
    b"\xff\xfe_01.dpx",
    b"\xff\xfe_02.dpx",
]


def test_I27_the_document_is_the_one_of_the_spec(library: Library, root: Path) -> None:
    frames(root, range(1, 4))
    path = write(root / "still.png")
    first = bring_in(library, root).as_json()
    assert list(first) == KEYS
    assert list(first["stats"]) == STATS  # type: ignore[call-overload]
    assert (first["schema_version"], first["type"], first["status"]) == (1, "import", "success")
    assert first["created_assets"] == [asset["uuid"] for asset in rows(library)]
    touch(path)
    second = bring_in(library, root).as_json()
    assert second["updated_assets"] == [
        asset["uuid"] for asset in rows(library) if asset["name"] == "still.png"
    ]
    assert str(second["last_ingest_time"]).endswith("Z")
    assert json.loads(json.dumps(second)) == second


def test_I27_a_failure_has_code_and_message(library: Library, tmp_path: Path) -> None:
    document = bring_in(library, tmp_path / "nowhere").as_json()
    assert list(document) == [*KEYS, "code", "message", "remedy"]
    assert (document["status"], document["code"]) == ("error", "not_found")


def test_I27_a_path_that_is_no_utf8_comes_as_base64_too() -> None:
    path = os.fsdecode(b"caf\xe9.exr")
    report = Report(Status.PARTIAL, errors=[ItemError(path, "io_error", "why"), ItemError("x", "y", "z")])
    assert report.as_json()["errors"] == [
        {
            "path": "caf\ufffd.exr",
            "code": "io_error",
            "message": "why",
            "path_b64": base64.b64encode(b"caf\xe9.exr").decode(),
        },
        {"path": "x", "code": "y", "message": "z"},
    ]


def test_I27_times_are_iso_8601_utc() -> None:
    assert iso_utc(0) == "1970-01-01T00:00:00.000000Z"
    assert iso_utc(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456Z"


def test_I26_a_run_tells_where_it_stands(library: Library, root: Path) -> None:
    frames(root, range(1, 4))
    told: list[Event] = []
    report = bring_in(library, root, observer=told.append)
    assert [type(event) for event in told if not isinstance(event, Progressed)] == [
        Started,
        Decided,
        Finished,
    ]
    steps = [(event.phase, event.done) for event in told if isinstance(event, Progressed)]
    assert (Phase.DISCOVER, 1) in steps
    assert (Phase.APPLY, 1) in steps
    assert told[-1] == Finished(report)


def test_R8_any_name_goes_in_and_comes_back_to_the_same_bytes(library: Library, root: Path) -> None:
    (root / "[").mkdir()
    for name in NAMES:
        (Path(os.fsdecode(os.path.join(os.fsencode(root), name)))).write_bytes(name)
    report = bring_in(library, root)
    assert (report.status, report.stats.ingested) == (Status.SUCCESS, len(NAMES) - 1)
    stored = {os.fsencode(from_stored(asset["canonical_key"])[3:]) for asset in rows(library)}
    assert stored == {*NAMES[:-2], b"\xff\xfe_#.dpx"}
    for asset in rows(library, where="kind <> 'sequence'"):
        path = os.fsencode(from_stored(asset["path"]))
        assert path.endswith(Path(os.fsdecode(path)).read_bytes())
    assert bring_in(library, root).stats.skipped == len(NAMES) - 1
    shown = bring_in(library, root, dry_run=True)
    assert shown.plan is not None
    json.dumps(list(shown.plan.as_json())).encode("ascii")
    decided = library.read(runs.decisions_of, report.run_id)
    assert {one.canonical_key for one in decided} == {
        from_stored(asset["canonical_key"]) for asset in rows(library)
    }


def test_I28_a_run_and_an_assets_decisions_are_explained_from_the_library(
    library: Library, root: Path
) -> None:
    path = write(root / "still.png")
    write(root / "gone.png", b"gone")
    first = bring_in(library, root)
    touch(path)
    (root / "gone.png").rename(root / "other.png")
    second = bring_in(library, root, accept_missing=True)
    told = library.read(runs.decisions_of, second.run_id)
    assert {(one.canonical_key, one.decision, one.reason) for one in told} == {
        ("fs:still.png", "update", "content changed"),
        ("fs:gone.png", "missing", "not found"),
        ("fs:other.png", "create", "new"),
    }
    asset = next(asset for asset in rows(library) if asset["name"] == "still.png")
    about = library.read(runs.decisions_about, asset["id"])
    assert [(one.run_uuid, one.decision) for one in about] == [
        (second.run_id, "update"),
        (first.run_id, "create"),
    ]
    run = library.read(runs.find, second.run_id)
    assert run.reasons == {"content changed": 1, "new": 1}
