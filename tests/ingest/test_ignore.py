"""Which names a scan looks at: ignored names, patterns in files, extensions (spec: ingest, S15)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput
from kassettui.ingest.ignore import IgnoreRules, Uses, left_out_by_default, may_be_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.exr", "Thumbs.db", "@eaDir", ".snapshot", "lost+found", ".hidden.0001.exr"]
)
def test_these_names_are_ignored_by_default(name: str) -> None:
    assert left_out_by_default(name)
    assert IgnoreRules().ignores(name)
    assert IgnoreRules().ignores(f"shots/sh010/{name}", is_directory=True)


@pytest.mark.parametrize("name", ["a.0001.exr", "thumbs.db", "eaDir", "snapshot", "-", " .exr"])
def test_other_names_are_not(name: str) -> None:
    assert not IgnoreRules().ignores(name)


def test_default_names_leave_an_ascending_list() -> None:
    evidence: list[str] = []
    names = sorted(
        ["-a.exr", ".b.exr.Xy12", ".DS_Store", "._b.exr", "/not", "Thumbs.db", "b.exr", "lost+found"]
    )
    assert IgnoreRules().left_in("", names, evidence) == ["-a.exr", "/not", "b.exr"]
    assert evidence == [".b.exr.Xy12"]


def test_patterns_of_a_collection_are_gitignore_s() -> None:
    rules = IgnoreRules.of(["# a comment", "", "*.bak", "/cache/", "wip/**", "!keep.bak", "\\#x"])
    assert rules.ignores("sh010/old.bak")
    assert not rules.ignores("sh010/keep.bak")
    assert rules.ignores("cache", is_directory=True)
    assert not rules.ignores("cache")
    assert not rules.ignores("sh010/cache", is_directory=True)
    assert rules.ignores("wip/a.exr")
    assert rules.ignores("#x")
    assert rules.ignores(".dotfile")


def test_a_deeper_file_counts_over_a_higher_one_and_both_over_the_defaults() -> None:
    rules = IgnoreRules.of(["*.jpg"]).within("ref", ["!*.jpg", "!.keep", "old/"])
    assert IgnoreRules.of(["*.jpg"]).ignores("a.jpg")
    assert not rules.ignores("ref/a.jpg")
    assert not rules.ignores("ref/.keep")
    assert rules.ignores("ref/.other")
    assert rules.ignores("ref/old", is_directory=True)


def test_everything_but_some_can_be_left_out() -> None:
    rules = IgnoreRules.of(["*", "!*/", "!*.exr"])
    assert rules.left_in("", ["a.exr", "b.jpg"], []) == ["a.exr"]
    assert not rules.ignores("shots", is_directory=True)
    assert rules.ignores("shots")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle here")
@pytest.mark.parametrize(
    "patterns",
    [
        ["*", "!*/", "!*.exr"],
        ["cache/", "!sh010/cache/"],
        ["/cache", "sh0*/*.jpg", "!b.jpg"],
        ["**/cache", "sh010/**", "!sh010/a.exr"],
        ["a.???", "!a.exr", "sh02[0-4]/"],
        ["sh010/", "!sh010/a.exr"],
        ["*.jpg", "!/b.jpg", "cache/*", "!cache/b.jpg"],
        ["/*", "!/sh010", "/sh010/*", "!/sh010/cache"],
    ],
    ids=" ".join,
)
def test_patterns_mean_what_git_lets_them_mean(tmp_path: Path, patterns: list[str]) -> None:
    for directory in ("", "cache", "sh010", "sh010/cache", "sh020", "sh020/cache/deep"):
        (tmp_path / directory).mkdir(exist_ok=True, parents=True)
        for name in ("a.exr", "a.jpg", "b.jpg"):
            (tmp_path / directory / name).touch()
    (tmp_path / ".gitignore").write_text("\n".join([*patterns, ".git*"]))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    def walk(directory: str, rules: IgnoreRules) -> Iterator[str]:
        for entry in os.scandir(tmp_path / directory):
            path = f"{directory}/{entry.name}".lstrip("/")
            if not rules.ignores(path, is_directory=entry.is_dir()):
                yield from walk(path, rules) if entry.is_dir() else [path]

    assert sorted(walk("", IgnoreRules.of(patterns))) == sorted(listed.stdout.split())


def test_patterns_know_names_that_are_not_utf8_and_names_with_newlines() -> None:
    rules = IgnoreRules.of(["b\udcffd*"])
    assert rules.ignores("b\udcffd.exr")
    assert not rules.ignores("bad.exr")
    assert IgnoreRules.of(["*.jpg"]).ignores("a\nb.jpg")


def test_no_pattern_is_no_work() -> None:
    assert IgnoreRules.of(["", "   ", "# nothing"]).plain
    assert IgnoreRules().within("a", ["#"]).plain
    assert not IgnoreRules.of(["x"]).plain


def test_a_pattern_that_cannot_be_one_is_an_error() -> None:
    with pytest.raises(InvalidInput):
        IgnoreRules.of(["!"])


def test_S15_dotfiles_that_may_belong_to_a_frame_are_evidence() -> None:
    assert may_be_evidence(".beauty.0001.exr.Xa81Qz")
    for name in (".DS_Store", "._a.0001.exr", ".nfs0000001", ".kassettuiignore", "a.0001.exr"):
        assert not may_be_evidence(name)


def test_only_media_are_items_unless_all_files_are_asked_for() -> None:
    names = ["a.0001.exr", "b.mov", "c.wav", "d.nk", "e", "f.bgeo.sc", "g.tar.gz", "h.exr.gz", "i.usd"]
    assert Uses().items(names, []) == ["a.0001.exr", "b.mov", "c.wav", "f.bgeo.sc", "h.exr.gz", "i.usd"]
    assert Uses(all_files=True).items(names, []) == names


def test_S15_temporary_names_are_evidence_in_any_case() -> None:
    names = ["a.0001.exr", "a.0002.exr.part", "a.0003.TMP", "a.0004.exr~", "notes.lock", "x~"]
    for all_files in (False, True):
        evidence: list[str] = []
        assert Uses(all_files=all_files).items(names, evidence) == ["a.0001.exr"]
        assert evidence == names[1:]


def test_one_extension_for_all_is_seen_at_once_and_rightly() -> None:
    uses = Uses()
    names = [f"a.{frame:04}.exr" for frame in range(9)]
    assert uses.items(names, []) is names
    assert uses.items([], []) == []
    assert uses.items(["a.tar.gz", "b.exr.gz"], []) == ["b.exr.gz"]
    assert uses.items(["x.nk", "y.exr"], []) == ["y.exr"]
    assert uses.items(["exr", "y"], []) == []
    assert Uses(all_files=True).items(["a.part", "b", "part"], []) == ["b", "part"]
