"""Reading names run by run gives what reading each name on its own gives (spec: sequences S2, S21)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kassettui.core import runs as runs_module
from kassettui.core.naming import read_name
from kassettui.core.padding import number_text, settle
from kassettui.core.runs import Run, RunKey, Runs, add, read_runs
from kassettui.core.sequences import group

if TYPE_CHECKING:
    import pytest

heads = st.sampled_from(
    ["a.", "a_", "a", "", "a.b.", "x_v001.", "x_v", "2024-01-", "a.-", "-", "é.", "a.1001.", "/"]
)
tails = st.sampled_from([".exr", ".left.exr", ".cam01.exr", ".exr.part", ".EXR", "x.exr", " (1).exr", ".mov"])
numbers = st.builds(
    lambda first, count, step, width: [
        f"{frame:0{width}d}" for frame in range(first, first + count * step, step)
    ],
    st.integers(-8, 10_100),
    st.integers(1, 30),
    st.sampled_from([1, 1, 1, 2, 7]),
    st.integers(1, 6),
)
odd = st.sampled_from(
    ["10a1", "1 01", "٠٠٠١", "", "²222", "+001", "1_01", "0000", "-0000", "123456789", "00000001"]
)
several = st.builds(
    lambda head, body, tail: [f"{head}{number}{tail}" for number in body],
    heads,
    st.one_of(numbers, st.lists(odd, max_size=4)),
    tails,
)
directories = st.builds(
    lambda lists: sorted({name for names in lists for name in names if name}), st.lists(several, max_size=6)
)


def one_by_one(names: list[str], subframes: bool) -> tuple[dict[RunKey, Runs], list[int]]:
    """What `read_runs` must give, without any of its ways to be fast."""
    found: dict[RunKey, Runs] = {}
    rest = []
    for index, name in enumerate(names):
        numbered = read_name(name, subframes)
        if numbered is None:
            rest.append(index)
        else:
            add(found, numbered, index)
    return found, rest


@given(directories, st.booleans())
def test_S21_reading_together_is_reading_one_by_one(names: list[str], subframes: bool) -> None:
    names = [name.replace("/", "") or "x" for name in names]
    names = sorted(set(names))
    rest: list[int] = []
    assert (read_runs(names, subframes, rest.append), rest) == one_by_one(names, subframes)


@given(directories)
def test_S21_the_size_of_what_is_read_at_once_does_not_matter(names: list[str]) -> None:
    names = sorted({name.replace("/", "") or "x" for name in names})
    expected = one_by_one(names, False)
    before = runs_module._AT_ONCE
    for size in (1, 4, 5):
        runs_module._AT_ONCE = size  # type: ignore[misc]
        try:
            rest: list[int] = []
            assert (read_runs(names, False, rest.append), rest) == expected
        finally:
            runs_module._AT_ONCE = before  # type: ignore[misc]


def test_S21_a_run_is_read_without_looking_at_each_name(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(name: str, subframes: bool = False) -> object:
        read.append(name)
        return read_name(name, subframes)

    monkeypatch.setattr(runs_module, "read_name", counted)
    group([f"a.{frame:06}.{layer}.exr" for frame in range(5000) for layer in ("beauty", "depth", "normal")])
    assert len(read) == 3
    read.clear()
    group(sorted(f"a.{frame:04}.exr" for frame in range(12_000)))
    assert len(read) < 500  # two widths that alternate in the order of names
    read.clear()
    group(sorted(f"a.-{frame:04}.exr" for frame in range(1, 5000)))
    assert len(read) == 1


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 5), st.booleans()), st.lists(st.integers(0, 99_999), max_size=12), max_size=6
    )
)
def test_S7_S8_S9_every_member_is_kept_as_it_is_written_or_put_aside(
    members: dict[tuple[int, bool], list[int]],
) -> None:
    runs: Runs = {}
    written: dict[int, tuple[int, str]] = {}
    for (width, negative), values in members.items():
        fitting = sorted(
            {value for value in values if len(str(value)) <= width and not (negative and value == 0)}
        )
        if not fitting:
            continue
        run = runs[width, negative] = Run(width, negative)
        for value in fitting:
            frame = -value if negative else value
            index = len(written)
            written[index] = frame, f"{'-' if negative else ''}{value:0{width}d}"
            run.frames.append(frame)
            run.indexes.append(index)
    if not runs:
        return
    settled = settle(runs, 0)
    padding = settled.padding
    assert list(settled.frames) == sorted(set(settled.frames))
    assert len(settled.frames) > 0
    for frame, index in zip(settled.frames, settled.indexes, strict=True):
        assert written[index] == (frame, number_text(frame, padding.width, padding.sign_in_width))
    for frame, index in settled.others:
        assert written[index][0] == frame
        assert written[index][1] != number_text(frame, padding.width, padding.sign_in_width)
    assert len(settled.frames) + len(settled.others) == len(written)


def test_settling_keeps_what_stands_together_as_it_is() -> None:
    run = Run(4, False, array("q", [1001, 1002]), array("L", [7, 8]))
    settled = settle({(4, False): run}, 0)
    assert settled.frames is run.frames
    assert settled.together
