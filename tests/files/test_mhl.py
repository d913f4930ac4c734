"""F18: ASC MHL histories, held against the ascmhl tool both ways."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kassettui.core.errors import DamageFound, InvalidInput
from kassettui.files import generations, mhl, sealing
from kassettui.files.plan import Options
from kassettui.files.verify import Fault, create_generation, verify_history
from kassettui.jobs.control import Control
from tests.files.trees import copy, frames, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kassettui.files.operations import FileOperations


def ascmhl(command: str, *arguments: str) -> Result:
    """A command of the reference tool, without its look for updates."""
    from ascmhl import commands

    chosen = {
        "create": commands.create,
        "diff": commands.diff,
        "info": commands.info,
        "verify": commands.verify,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CliRunner().invoke(chosen[command], list(arguments))


def show(place: Path) -> None:
    """A small tree: a sequence, an empty file, an empty directory, a link, names that need escapes."""
    frames(place / "a" / "b")
    write(place / "a" / "empty")
    (place / "hollow").mkdir()
    write(place / "a" / "<odd> & \"quoted\" 'name'.txt", "odd")
    write(place / "ümlaut — 日本.txt", "text")
    os.symlink("a/empty", place / "link")
    write(place / ".DS_Store", "junk")


def faults(place: Path) -> list[tuple[str, Fault]]:
    """What a check finds."""
    return [(finding.path, finding.fault) for finding in verify_history(os.fspath(place), Control()).findings]


def test_F18_ascmhl_verifies_our_history(place: Path) -> None:
    show(place)
    create_generation(os.fspath(place), Control())
    for command in (["verify"], ["verify", "-dh"], ["diff"], ["info"]):
        answer = ascmhl(*command, os.fspath(place))
        assert answer.exit_code == 0, (command, answer.output)


@pytest.mark.parametrize("formats", [["xxh128"], ["md5"], ["c4"], ["sha1", "xxh64"], ["xxh3", "xxh128"]])
def test_F18_we_verify_their_history_and_add_to_it(place: Path, formats: list[str]) -> None:
    show(place)
    options = [part for name in formats for part in ("-h", name)]
    assert ascmhl("create", *options, os.fspath(place)).exit_code == 0
    assert faults(place) == []
    made = create_generation(os.fspath(place), Control())
    assert made.findings == ()
    assert ascmhl("verify", os.fspath(place)).exit_code == 0
    second = mhl.read(made.paths[-1])
    assert {one.action for each in second.hashes if not each.directory for one in each.sums} == {"verified"}


def test_F18_directory_hashes_are_theirs(place: Path) -> None:
    show(place)
    create_generation(os.fspath(place), Control())
    ours = generations.load(os.fspath(place)).lists[0]
    assert ascmhl("create", "-h", "xxh128", os.fspath(place)).exit_code == 0
    theirs = generations.load(os.fspath(place)).lists[1]

    def hashes(listed: mhl.HashList) -> dict[str, tuple[str, str]]:
        found = {
            each.path: (each.sums[0].text, each.sums[0].structure) for each in listed.hashes if each.directory
        }
        assert listed.root is not None
        return {**found, ".": (listed.root.sums[0].text, listed.root.sums[0].structure)}

    assert hashes(ours) == hashes(theirs)


def test_F18_a_flipped_bit_a_missing_and_an_extra_file_are_found(place: Path) -> None:
    listed = frames(place)
    create_generation(os.fspath(place), Control())
    write(listed[0], b"x" + listed[0].read_bytes()[1:], mtime=1001)
    listed[1].unlink()
    write(place / "new.exr", "new")
    expected = [
        ("beauty.1001.exr", Fault.CHANGED),
        ("beauty.1002.exr", Fault.MISSING),
        ("new.exr", Fault.EXTRA),
    ]
    assert faults(place) == expected
    made = create_generation(os.fspath(place), Control())
    assert [(finding.path, finding.fault) for finding in made.findings] == expected[:2]
    # A generation that says "failed" changes nothing of what the file should be.
    assert ("beauty.1001.exr", Fault.CHANGED) in faults(place)
    assert ascmhl("verify", os.fspath(place)).exit_code != 0


def test_F18_a_history_below_has_its_own_generations(place: Path) -> None:
    show(place)
    create_generation(os.fspath(place / "a"), Control())
    made = create_generation(os.fspath(place), Control())
    assert len(made.paths) == 2
    assert faults(place) == []
    for command in (["verify"], ["verify", "-dh"]):
        answer = ascmhl(*command, os.fspath(place))
        assert answer.exit_code == 0, answer.output
    assert ascmhl("create", "-h", "xxh128", os.fspath(place)).exit_code == 0
    assert faults(place) == []
    write(place / "a" / "empty", "no more")
    # The link leads there: it is read as what it leads to.
    assert faults(place) == [("a/empty", Fault.CHANGED), ("link", Fault.CHANGED)]


def test_F18_a_changed_or_missing_manifest_is_damage(place: Path) -> None:
    frames(place)
    create_generation(os.fspath(place), Control())
    path = next((place / "ascmhl").glob("*.mhl"))
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"beauty.1001", b"beauty.1002"))
    with pytest.raises(DamageFound, match="was changed"):
        faults(place)
    path.unlink()
    with pytest.raises(DamageFound, match="is missing"):
        faults(place)


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><ascmhldirectory/>',
        "<ascmhldirectory><hashlist sequencenr='1'><path>../x</path><c4>c4</c4></hashlist></ascmhldirectory>",
        "<ascmhldirectory><hashlist sequencenr='x'><path>a</path></hashlist></ascmhldirectory>",
        "<ascmhldirectory>",
        "",
    ],
)
def test_F18_an_unsound_chain_is_refused(place: Path, text: str) -> None:
    write(place / "ascmhl" / "ascmhl_chain.xml", text)
    with pytest.raises(DamageFound):
        faults(place)


def test_F18_paths_that_lead_out_are_refused(place: Path) -> None:
    frames(place)
    create_generation(os.fspath(place), Control())
    listed = mhl.read(os.fspath(next((place / "ascmhl").glob("*.mhl"))))
    bad = mhl.written(listed).replace(b"beauty.1001.exr", b"../../../etc/passwd")
    path = write(place / "bad.mhl", bad)
    with pytest.raises(DamageFound, match="leads out"):
        mhl.read(os.fspath(path))


def test_F18_names_that_xml_cannot_hold_are_refused(place: Path) -> None:
    write(place / os.fsdecode(b"\xff.exr"), "x")
    with pytest.raises(InvalidInput, match="not text"):
        create_generation(os.fspath(place), Control())
    assert not (place / "ascmhl").exists()


def test_F19_a_copy_makes_the_next_generation_and_reads_nothing_twice(
    files: FileOperations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(place / "card")
    os.link(place / "card" / "a" / "empty", place / "card" / "twin")
    assert ascmhl("create", "-h", "xxh128", os.fspath(place / "card")).exit_code == 0
    (place / "archive").mkdir()
    read: list[str] = []
    monkeypatch.setattr("kassettui.files.sealing._read", _noting(read, sealing._read))
    result = copy(files, place / "card", place / "archive", options=Options(mhl=True))
    assert len(result.generations) == 1
    assert read == ["link"]
    second = mhl.read(result.generations[0])
    assert second.root is not None
    assert {one.action for each in second.hashes if not each.directory for one in each.sums} == {"verified"}
    for command in (["verify"], ["verify", "-dh"], ["diff"]):
        answer = ascmhl(*command, os.fspath(place / "archive" / "card"))
        assert answer.exit_code == 0, answer.output


def test_F19_a_part_of_a_directory_gets_a_generation_of_its_own(files: FileOperations, place: Path) -> None:
    frames(place / "new")
    frames(place / "archive", "old.")
    create_generation(os.fspath(place / "archive"), Control())
    result = copy(files, place / "new" / "beauty.#.exr", place / "archive", options=Options(mhl=True))
    added = mhl.read(result.generations[0])
    assert len(added.hashes) == 10
    assert added.root is None
    assert ascmhl("verify", os.fspath(place / "archive")).exit_code == 0


def _noting(read: list[str], real: Callable[..., dict[str, generations.FileSums]]) -> Callable[..., object]:
    """What was read beside the copy's own pass."""

    def reading(root: str, links: list[str], *rest: object) -> object:
        read.extend(links)
        return real(root, links, *rest)

    return reading
