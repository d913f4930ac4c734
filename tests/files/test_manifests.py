"""F18: lists of sums, held against xxhsum both ways."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.files.manifests import Line, parsed, written
from kassettui.files.verify import Fault, sums_of, verify_sums
from kassettui.jobs.control import Control
from tests.files.trees import frames, write

if TYPE_CHECKING:
    from pathlib import Path

xxhsum = pytest.mark.skipif(shutil.which("xxhsum") is None, reason="xxhsum is not installed")
ODD = [
    "back\\slash",
    " lead and end ",
    "#hash",
    "-dash",
    "cr\rx",
    "\udcff\udcfe",
    "[red]",
    "a\u202eb",
    "$(x)",
    "%s",
    "\x1b[31m",
]


def make(place: Path) -> Path:
    """A list of sums of everything in `place`, beside it."""
    path = place / "list.xxh128"
    path.write_bytes(sums_of(os.fspath(place), Control()).data)
    return path


def faults(path: Path) -> list[tuple[str, Fault]]:
    """What a check finds."""
    return [(finding.path, finding.fault) for finding in verify_sums(os.fspath(path), Control()).findings]


@xxhsum
def test_F18_xxhsum_accepts_our_list(place: Path) -> None:
    frames(place / "deep")
    for name in ODD:
        write(place / name, name.encode("utf-8", "surrogateescape"))
    path = make(place)
    answer = subprocess.run(["xxhsum", "-c", path.name], cwd=place, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count(b": OK") == 10 + len(ODD)


@xxhsum
@pytest.mark.parametrize("options", [["-H2"], ["-H1"], ["-H0"], ["-H2", "--tag"], ["-H3"]])
def test_F18_we_accept_the_lists_of_xxhsum(place: Path, options: list[str]) -> None:
    frames(place)
    for name in ODD:
        write(place / name, name.encode("utf-8", "surrogateescape"))
    listed = subprocess.run(
        ["xxhsum", *options, "--", *sorted(os.listdir(os.fsencode(place)))],
        cwd=place,
        capture_output=True,
        check=True,
    ).stdout
    # xxhsum 0.8.1 writes a name with a carriage return so that nobody, itself included, can tell it apart.
    path = place / "theirs.xxh128"
    path.write_bytes(listed)
    found = verify_sums(os.fspath(path), Control())
    assert found.whole, found.findings
    assert found.checked == 10 + len(ODD)


def test_F18_a_flipped_bit_a_missing_and_an_extra_file_are_found(place: Path) -> None:
    listed = frames(place)
    path = make(place)
    assert faults(path) == []
    data = bytearray(listed[0].read_bytes())
    data[7] ^= 1
    write(listed[0], bytes(data), mtime=1001)
    listed[1].unlink()
    write(place / "new.exr", "new")
    assert faults(path) == [
        ("beauty.1001.exr", Fault.CHANGED),
        ("beauty.1002.exr", Fault.MISSING),
        ("new.exr", Fault.EXTRA),
    ]


def test_F18_what_is_not_read_is_not_called_sound(place: Path) -> None:
    listed = frames(place)
    path = make(place)
    listed[0].unlink()
    os.mkfifo(listed[0])
    assert faults(path) == [("beauty.1001.exr", Fault.UNREADABLE)]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\0"), min_size=1).map(
                lambda text: os.fsdecode(text.encode("utf-8", "surrogatepass"))
            ),
            st.binary(min_size=16, max_size=16),
        ),
        max_size=5,
    )
)
def test_F18_a_list_says_what_was_written(names: list[tuple[str, bytes]]) -> None:
    lines = [Line(name, "xxh128", digest.hex()) for name, digest in names]
    assert parsed(written(lines), "list") == lines


def test_F18_a_line_that_is_no_sum_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Line 2"):
        parsed(b"56a841f9102d5ff745f80274c9c7a7ca  a\nwhatever\n", "list")
