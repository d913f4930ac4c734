"""The commands of curation as a person and as a machine use them (spec: cli; library L4–L7, V1–V7)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.library.library import Library
from tests.ingest.trees import frames, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Answer, Runner


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A small show: three versions of a comp, one plate, a still."""
    root = tmp_path / "abc"
    comp = root / "sq1" / "sh010" / "comp"
    for number in (1, 2, 3):
        frames(comp, range(1, 4), f"x_v{number:03}.{{:04}}.exr", b"p" * 1000 * number)
    frames(root / "sq1" / "sh020" / "plate", range(1, 3), "plate.{:04}.dpx", b"d" * 500)
    write(root / "sq1" / "sh020" / "plate" / "ref.png", b"s" * 100)
    return root


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def run(kassettui: Runner, show: Path, library: Path) -> Any:
    """The program over that show, imported; state ready, as enrichment would leave it."""
    kassettui(
        "import", show, "--library", library, "--no-enrich", "--layout", "{sequence}/{shot}/{task}", "--json"
    )
    with Library.open(str(library)) as opened:
        opened.write(lambda db: db.execute_sql("UPDATE assets SET state = 'ready'") and None)

    def call(*arguments: str | Path, code: int = 0) -> Answer:
        return kassettui(*arguments, "--library", library, code=code)

    return call


def names(answer: Answer) -> list[str]:
    return sorted(item["name"] for item in answer.items)


def found(run: Any, query: str) -> list[str]:
    return names(run("find", query, "--json"))


COMPS = ["x_v001.#.exr", "x_v002.#.exr", "x_v003.#.exr"]


# -- tags, ratings, notes -----------------------------------------------------------------------------------


def test_tag_add_set_remove_and_find(run: Any) -> None:
    done = run("tag", "add", "shot:sh010", "Hero", "client / final", "--json").json
    assert (done["type"], done["status"], done["added"], len(done["assets"])) == (
        "tags_changed",
        "success",
        6,
        3,
    )
    assert found(run, "tag:client/final") == COMPS
    run("tag", "set", "version:2", "wip")
    assert found(run, "tag=hero") == ["x_v001.#.exr", "x_v003.#.exr"]
    run("tag", "remove", "shot:sh010", "hero")
    assert found(run, "tag=hero") == []
    assert [(item["name"], item["assets"]) for item in run("tag", "list", "--json").items] == [
        ("client/final", 2),
        ("Hero", 0),
        ("wip", 1),
    ]


def test_tag_rename_asks_for_a_merge(run: Any) -> None:
    run("tag", "add", "version:1", "a")
    run("tag", "add", "version:2", "b")
    refused = run("tag", "rename", "a", "b", "--json", code=1)
    assert refused.json["code"] == "merge_needed"
    run("tag", "rename", "a", "b", "--merge")
    run("tag", "merge", "b", "c")
    assert found(run, "tag=c") == COMPS[:2]
    assert run("tag", "delete", "c", code=1).err.count("--yes") == 1
    run("tag", "delete", "c", "--yes")
    run("tag", "list", "nothing")
    run("tag", "remove", "version:1", "c", code=2)
    run("tag", "add", "version:1", code=1)


def test_rate_and_clear(run: Any) -> None:
    done = run("rate", "shot:sh010", "4", "--json").json
    assert (done["rating"], len(done["assets"]), done["unchanged"]) == (4, 3, 0)
    assert run("rate", "shot:sh010", "4", "--json").json["unchanged"] == 3
    assert found(run, "rating:>=4") == COMPS
    run("rate", "version:1", "version:2", "clear")
    assert found(run, "rating:*") == ["x_v003.#.exr"]
    run("rate", "shot:sh010", "6", code=1)
    run("rate", "shot:nothing", "3", code=2)


def test_note_of_assets_and_of_paths(run: Any, show: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "readme.txt")
    run("note", "version:1", other, "--title", "Read this", "--description", "two\nlines")
    shown = run("note", "version:1", other, "--json").items
    assert [(item["title"], item["description"]) for item in shown] == [("Read this", "two\nlines")] * 2
    assert [item["uuid"] is None for item in shown] == [False, True]
    assert found(run, "title:read") == ["x_v001.#.exr"]
    other.unlink()
    assert [item["path"] for item in run("note", "--orphans", "--json").items] == [str(other)]
    assert run("note", "--orphans", "--forget", "--json").json["paths"] == [str(other)]
    assert run("note", "--orphans", "--json").items == []
    run("note", "/nothing/there", "--title", "x", code=2)
    run("note", code=1)


# -- approval -----------------------------------------------------------------------------------------------


def test_approve_all_or_nothing_or_what_is_ready(run: Any, library: Path) -> None:
    with Library.open(str(library)) as opened:
        opened.write(
            lambda db: db.execute_sql("UPDATE assets SET state = 'new' WHERE name LIKE 'x_v002%'") and None
        )
    assert "new" in run("approve", "shot:sh010", code=1).err
    assert found(run, "approved:yes") == []
    partly = run("approve", "shot:sh010", "--skip-unready", "--json", code=4).json
    assert (partly["status"], len(partly["assets"]), len(partly["refused"])) == ("partial", 2, 1)
    assert found(run, "approved:yes") == ["x_v001.#.exr", "x_v003.#.exr"]
    run("unapprove", "version:1")
    assert run("retire", "shot:sh010", code=1).err.count("3 assets, 18 kB") == 1
    assert len(run("retire", "shot:sh010", "--yes", "--json").json["assets"]) == 3
    assert found(run, "state:retired") == COMPS


# -- folders and searches -----------------------------------------------------------------------------------


def test_folders_from_making_to_deleting(run: Any) -> None:
    run("folder", "mk", "dailies/monday")
    assert len(run("folder", "add", "shot:sh010", "dailies/monday", "--json").json["assets"]) == 3
    assert found(run, "folder:dailies") == COMPS
    run("folder", "remove", "version:1", "dailies/monday")
    run("folder", "mv", "dailies/monday", "dailies/tuesday")
    run("folder", "mk", "archive")
    assert run("folder", "mv", "dailies", "archive", "--json").json["path"] == "archive/dailies"
    assert [(item["path"], item["assets"]) for item in run("folder", "ls", "--json").items] == [
        ("", 0),
        ("archive", 0),
        ("archive/dailies", 0),
        ("archive/dailies/tuesday", 2),
    ]
    run("folder", "rm", "archive", code=1)
    run("folder", "rm", "archive", "--recursive", code=1)
    run("folder", "mk", "keep")
    run("folder", "rm", "archive", "--move-to", "keep")
    assert found(run, "folder=keep") == COMPS[1:]
    assert run("folder", "rm", "keep", "--recursive", "--yes", "--json").json["memberships"] == 2
    run("folder", "rm", "keep", code=2)
    run("folder", "add", "shot:sh010", "keep", code=2)


def test_saved_searches_work_everywhere(run: Any) -> None:
    run("search", "save", "big", "size:>2k", "sort:-size")
    assert [item["name"] for item in run("ls", "@big", "--json").items] == COMPS[::-1]
    assert [item["name"] for item in run("search", "run", "BIG", "--limit", "1", "--json").items] == COMPS[2:]
    run("rate", "@big", "5")
    assert found(run, "rating:5") == COMPS
    assert run("search", "ls", "--json").items[0]["query"] == "size:>2k sort:-size"
    assert run("search", "save", "big", "x", code=1).err.count("--replace") == 1
    run("search", "save", "big", "x", "--replace")
    run("folder", "mk", "smart", "--search", "big")
    run("search", "rm", "big", code=1)
    run("folder", "rm", "smart")
    run("search", "rm", "big")
    run("search", "run", "big", code=2)
    run("ls", "@big", code=1)


def test_a_bad_query_shows_its_place_on_stderr_and_an_error_document(run: Any) -> None:
    answer = run("find", "comp ratng:3", "--json", code=1)
    assert answer.json["code"] == "bad_query"
    assert answer.err.splitlines()[1:3] == ["comp ratng:3", "     ^^^^^"]
    saved = run("search", "save", "bad", "(", code=1)
    assert "^" in saved.err


# -- versions -----------------------------------------------------------------------------------------------

SCOPE = ("--project", "abc", "--entity", "shot=sq1/sh010", "--key", "comp/x.#.exr")


def numbers(answer: Answer) -> list[int]:
    return [item["number"] for item in answer.items]


def test_version_history_and_best(run: Any) -> None:
    [group] = run("version", "ls", "--json").items
    assert (group["project"], group["kind"], group["entity"], group["key"]) == (
        "abc",
        "shot",
        "sq1/sh010",
        "comp/x.#.exr",
    )
    assert (group["head"], group["best"], group["versions"]) == (3, 1, 3)
    assert numbers(run("version", "ls", "version:2", "--json")) == [3, 2, 1]
    assert numbers(run("version", "ls", *SCOPE, "--sort", "oldest", "--json")) == [1, 2, 3]
    run("version", "best", "version:2", "v003")
    assert found(run, "best:yes") == ["x_v003.#.exr"]
    run("version", "best", *SCOPE, "2", "--lock")
    assert run("version", "best", "version:1", "1", code=1).err.count("locked") == 1
    assert run("version", "best", *SCOPE, "--unlock", "--json").items[0]["best"] == 2
    run("version", "best", "version:1", "none")
    assert found(run, "best:yes") == []
    run("version", "best", "version:1", "9", code=2)
    run("version", "best", "ref", code=2)
    run("version", "ls", "--project", "abc", code=1)


def test_version_metadata_and_quality(run: Any) -> None:
    run("version", "meta", "version:2", "2", "model=sdxl", "evaluation.quality_score=0.9", 'tags=["a"]')
    shown = run("version", "meta", "version:2", "2", "--json").json
    assert shown["metadata"] == {"model": "sdxl", "evaluation.quality_score": 0.9, "tags": ["a"]}
    assert numbers(run("version", "ls", "version:2", "--only", "evaluated", "--json")) == [2]
    assert numbers(run("version", "ls", "version:2", "--sort", "quality", "--json")) == [2, 3, 1]
    assert run("version", "show", "version:2", "2", "--json").json["quality"] == 0.9
    run("version", "meta", "version:2", "9", code=2)
    run("version", "meta", "version:2", "2", "nonsense", code=1)


def test_version_add_alone_and_in_a_batch(run: Any, tmp_path: Path) -> None:
    scope = ("--project", "p", "--entity", "scene=1", "--entity", "scene=2", "--key", "video")
    made = run("version", "add", *scope, "--type", "video", "s3://a/1.mov", "s3://a/2.mov", "--json").json
    assert [one["number"] for one in made["versions"]] == [1, 1]
    wrong = run("version", "add", *scope, "--type", "video", "s3://a/1.mov", code=1)
    assert "scene 1, 2 of project p expects 2 items of data, got 1" in wrong.err
    operations = [
        {"project": "p", "key": "brief", "type": "text", "data": [{"kind": "text", "value": "a"}]},
        {"project": "p", "key": "brief", "type": "film", "data": [{"kind": "text", "value": "b"}]},
        {
            "project": "p",
            "key": "brief",
            "type": "text",
            "data": [{"kind": "text", "value": "c"}],
            "best": True,
        },
    ]
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(operations))
    done = run("version", "add", "--batch", path, "--json", code=4).json
    assert [(one["number"], one["best"]) for one in done["versions"]] == [(1, False), (2, True)]
    assert [(one["index"], one["code"]) for one in done["errors"]] == [(1, "invalid")]
    for content in (
        "{",
        "[1]",
        '[{"project": "p"}]',
        '[{"project":"p","key":"k","type":"text","data":[{}]}]',
    ):
        path.write_text(content)
        run("version", "add", "--batch", path, code=1)
    run("version", "add", *scope, "--type", "image", "/nothing/there", "/nothing/else", code=2)
    run("version", "add", *scope, "x", "y", code=1)
    run("version", "add", *scope, "--type", "text", "text:a", "text:b", "--metadata", "{", code=1)
    assert numbers(run("version", "ls", "--project", "p", "--key", "brief", "--json")) == [2, 1]


def test_version_store_and_revert(run: Any, tmp_path: Path) -> None:
    grade = tmp_path / "grade.cc"
    grade.write_text("good")
    run("version", "add", "--project", "p", "--key", "grade", "--type", "text", "--store", grade)
    grade.write_text("spoilt")
    done = run("version", "revert", grade, "1", "--json").json
    assert (done["path"], done["backup"], done["changed"]) == (str(grade), 2, True)
    assert grade.read_text() == "good"
    run("version", "revert", grade, "2", "--to", tmp_path / "other.cc")
    assert (tmp_path / "other.cc").read_text() == "spoilt"
    run("version", "revert", grade, "9", code=2)
    run("version", "revert", "version:1", "1", code=1)


def test_version_rm_keeps_the_number(run: Any) -> None:
    assert run("version", "rm", "version:2", "1", code=1).err.count("best") == 1
    run("version", "rm", "version:2", "3")
    assert numbers(run("version", "ls", "version:2", "--json")) == [2, 1]
    assert run("version", "best", *SCOPE, "--json").items[0]["head"] == 3


def test_version_compare(run: Any) -> None:
    compared = run("version", "compare", "version:1", "version:3", "--json").json
    assert compared["assets"] == ["x_v001.#.exr", "x_v003.#.exr"]
    assert compared["facts"]["size"] == [3000, 9000]
    assert set(compared["differing"]) >= {"size", "path"}
    assert run("version", "compare", "version:1", "version:3").lines[0].split("\t")[0] == "fact"


def test_version_prune_is_a_dry_run_then_trash_then_undone(run: Any, show: Path) -> None:
    before = sorted(path for path in show.rglob("*") if path.is_file())
    plan = run("version", "prune", "--keep", "1", "--json").json
    assert (plan["status"], [one["number"] for one in plan["candidates"]]) == ("dry_run", [2])
    assert (plan["files"], plan["bytes"], plan["kept"]) == (3, 6000, {"best": 1, "newest": 1})
    assert run("version", "prune", "--keep", "1", "--execute", code=1).err.count("--yes") == 1
    assert sorted(path for path in show.rglob("*") if path.is_file()) == before
    run("version", "best", "version:1", "2")
    done = run("version", "prune", "--keep", "1", "--execute", "--yes", "--json").json
    assert (done["status"], [one["number"] for one in done["pruned"]]) == ("success", [1])
    assert numbers(run("version", "ls", "version:2", "--json")) == [3, 2]
    assert not any("x_v001" in path.name for path in show.rglob("*"))
    run("undo")
    assert sorted(path for path in show.rglob("*") if path.is_file()) == before
    assert numbers(run("version", "ls", "version:2", "--json")) == [3, 2, 1]
    assert (
        run("version", "prune", "version:1", "--older", "1s", "--keep", "9", "--json").json["candidates"]
        == []
    )
    run("version", "prune", code=1)
    run("version", "prune", "--older", "soon", code=1)


def test_version_up_avoids_what_the_library_has_given(run: Any, show: Path) -> None:
    """The number of a deleted version is not taken again, though it is free on disk."""
    run("version", "rm", "version:2", "3")
    for path in list(show.rglob("x_v003*")):
        path.unlink()
    planned = run("cp", "--version-up", show / "sq1/sh010/comp/x_v002.#.exr", "--dry-run", "--json").json
    assert os.path.basename(planned["items"][0]["destination"]) == "x_v004.#.exr"


# -- du -----------------------------------------------------------------------------------------------------


def test_du_by_what_people_ask(run: Any, show: Path) -> None:
    by_shot = run("du", "--by", "shot", "--json").json
    assert [(one["label"], one["assets"], one["files"], one["bytes"]) for one in by_shot["items"]] == [
        ("sh010", 3, 9, 18_000),
        ("sh020", 2, 3, 1_100),
    ]
    assert by_shot["bytes"] == 19_100
    os.link(show / "sq1/sh010/comp/x_v001.0001.exr", show / "other-name")
    [versions] = [run("du", "--by", "version", "shot:sh010", "--json").json["items"]]
    assert [one["bytes"] for one in versions] == [9_000, 6_000, 3_000]
    assert versions[2]["reclaimable"] < versions[2]["allocated"]
    assert [one["label"] for one in run("du", "--json").json["items"]] == ["abc"]
    assert run("du", "--limit", "1").lines[0].split("\t")[:4] == ["label", "assets", "files", "bytes"]
    run("du", "ratng:3", code=1)


# -- one string everywhere ----------------------------------------------------------------------------------

QUERY = "shot:sh010 version:>=2 sort:-version"


def test_L7_one_string_is_the_same_everywhere(run: Any) -> None:
    """find, ls, a selector, a saved search: the same assets in the same order."""
    expected = ["x_v003.#.exr", "x_v002.#.exr"]
    assert [item["name"] for item in run("find", QUERY, "--json").items] == expected
    assert [item["name"] for item in run("ls", QUERY, "--json").items] == expected
    run("search", "save", "same", QUERY)
    assert [item["name"] for item in run("ls", "@same", "--json").items] == expected
    by_selector = run("rate", QUERY, "3", "--json").json["assets"]
    by_search = run("rate", "@same", "4", "--json").json["assets"]
    assert by_selector == by_search
    assert len(by_search) == 2
    assert run("find", QUERY, "--explain", "--json").json["tree"][-1] == "order: version downwards"


def test_names_that_speak_to_terminals_stay_quiet(kassettui: Runner, tmp_path: Path, library: Path) -> None:
    """Names of R8 in tags, notes, folders and searches come out safe, and whole in JSON."""
    name = "a\x1b]0;x\x07[red]\u202e"
    write(tmp_path / "show" / "still.png")
    kassettui("import", tmp_path / "show", "--library", library, "--no-enrich", "--json")
    run = [("--library", str(library))]
    kassettui("tag", "add", "still", name, *run[0])
    kassettui("note", "still", "--title", name, *run[0])
    kassettui("folder", "mk", name, *run[0])
    for command in (("tag", "list"), ("note", "still"), ("folder", "ls"), ("ls",)):
        answer = kassettui(*command, *run[0])
        assert "\x1b" not in answer.out.decode() + answer.err
        assert "\u202e" not in answer.out.decode()
    assert kassettui("note", "still", "--json", *run[0]).items[0]["title"] == name
