"""`frames`: the health of a sequence frame by frame, its holes, and what a submitter should render again."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.states import health_style, health_words
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import ExitCode, InvalidInput, NotFound
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.cli.disk import OnDisk
    from kassettui.core.frames import FrameRanges
    from kassettui.core.health import FrameState, SequenceHealth
    from kassettui.media.facts import Verdict
    from kassettui.media.sequences import Findings

_MISSING_WORD: Final = "missing"

_COLUMNS: Final = (
    Column("name", "name", shrinks=True),
    Column("frames", "frames", shown=wording.number, right=True),
    Column("missing_ranges", "missing", shown=lambda text: text or "–", shrinks=True, rank=1),
    Column("damaged_count", "damaged", right=True, rank=2),
    Column("state", "health", shown=health_words, style=health_style),
)


class Examined:
    """A sequence and what was found of it; everything that the command shows comes from here."""

    def __init__(
        self,
        found: OnDisk,
        health: SequenceHealth,
        expected: FrameRanges | None,
        findings: Findings | None = None,
    ) -> None:
        self.found = found
        self.health = health
        self.expected = expected
        self.findings = findings

    @property
    def unusable(self) -> FrameRanges:
        """What has to be rendered again: absent frames and damaged ones."""
        from kassettui.core.frames import FrameRanges
        from kassettui.core.health import DAMAGED

        damaged = FrameRanges.of(frame for frame, state in self.health.bad if state in DAMAGED)
        return self.health.absent.union(damaged)

    @property
    def code(self) -> ExitCode:
        """5 for damage, and for holes where nothing is being written any more."""
        whole = self.health.state in ("complete", "growing") and not self.health.damaged_count
        return ExitCode.DONE if whole else ExitCode.DAMAGED

    @property
    def odd(self) -> FrameRanges:
        """Frames with samples that are no number or infinite; known after decoding only."""
        return self._frames_with(lambda verdict: bool(verdict.nan or verdict.inf))

    @property
    def black(self) -> FrameRanges:
        """Frames that are all black; known after decoding only."""
        return self._frames_with(lambda verdict: verdict.black)

    def _frames_with(self, wanted: Callable[[Verdict], bool]) -> FrameRanges:
        from kassettui.core.frames import FrameRanges

        verdicts = self.findings.verdicts if self.findings is not None else {}
        return FrameRanges.of(frame for frame, verdict in verdicts.items() if wanted(verdict))

    def _bad(self, frame: int, state: FrameState) -> dict[str, Any]:
        reason = self.findings.reason(frame) if self.findings is not None else ""
        return {"frame": frame, "state": str(state), **({"reason": reason} if reason else {})}

    def strip(self, width: int) -> list[FrameState]:
        """The frame strip in at most `width` cells."""
        from kassettui.core.health import strip

        return strip(self.found.group.ranges, dict(self.health.bad), width, expected=self.expected)

    def row(self) -> dict[str, Any]:
        """Everything, for machines."""
        group, health = self.found.group, self.health
        return {
            "name": self.found.name,
            "path": os.path.abspath(self.found.path),
            "state": str(health.state),
            "level": health.level,
            "frames": group.ranges.count,
            "frame_ranges": group.ranges.text,
            "frame_padding": group.padding,
            "expected_ranges": self.expected.text if self.expected else None,
            "missing_count": health.absent.count,
            "missing_ranges": health.absent.text,
            "damaged_count": health.damaged_count,
            "resubmit_ranges": self.unusable.text,
            "counts": {str(state): count for state, count in health.counts.items()},
            "bad": [self._bad(frame, state) for frame, state in health.bad],
            "odd_ranges": self.odd.text,
            "black_ranges": self.black.text,
            "bad_padding": [{"name": name} for name in group.bad_padding],
            "duplicate_frames": [{"name": name} for name in group.duplicate_frames],
            "size": sum(group.sizes or ()),
            "mtime": wording.iso_ns(max(group.mtimes or (), default=0)),
            "warnings": list(group.warnings),
        }


@command(
    "frames",
    examples=(
        ("kassettui frames comp/beauty.#.exr", "One sequence, by its pattern or any of its frames."),
        ("kassettui frames comp", "All sequences of a directory."),
        ("kassettui frames comp/beauty.#.exr --expected 1001-1100", "Also what is missing at head and tail."),
        ("kassettui frames comp --check 1", "Whether every frame is whole, by its structure; 2 decodes all."),
        ("kassettui frames 3f2a missing --resubmit", "An asset's frames to render again: 1005,1010-1015x2."),
    ),
)
@click.argument("what", nargs=-1, required=True, type=click.Path(), metavar="PATH|SEL [missing]")
@click.option(
    "--check",
    "level",
    type=click.Choice(("0", "1", "2")),
    default="0",
    show_default=True,
    help="How deep to look: 0 size and time, 1 structure, 2 decode.",
)
@click.option(
    "--expected", metavar="RANGES", help="The frames that there should be, for instance 1001-1100x2."
)
@click.option("--resubmit", is_flag=True, help="With `missing`: only the frames to render again, as ranges.")
@pass_invocation
def frames(
    invocation: Invocation, what: tuple[str, ...], level: str, expected: str | None, resubmit: bool
) -> int:
    """The health of a sequence, frame by frame.

    PATH is a sequence's pattern, one of its frames, or a directory; SEL an asset of the library. Exits 5 when
    frames are damaged, or missing while nothing is being written any more; `missing` lists only and exits 0.
    """
    words, only_missing = _split(what)
    if resubmit and not only_missing:
        raise InvalidInput(
            "--resubmit belongs to `missing`.", remedy="kassettui frames PATH missing --resubmit"
        )
    found = [each for word in words for each in _sequences(invocation, word, expected)]
    examined = _examined(invocation, found, int(level))
    if invocation.flags.json:
        invocation.output.json_list("frames", (each.row() for each in examined))
    elif only_missing:
        _show_missing(invocation, examined, resubmit=resubmit)
    elif len(examined) == 1 and invocation.output.terminal:
        _show_one(invocation, examined[0])
    else:
        invocation.output.table(_COLUMNS, (each.row() for each in examined))
    if only_missing:
        return ExitCode.DONE
    return max((each.code for each in examined), default=ExitCode.DONE)


def _split(what: Sequence[str]) -> tuple[list[str], bool]:
    """The selectors, and whether the word `missing` stands before or after them."""
    words = list(what)
    for place in (-1, 0):
        if len(words) > 1 and words[place] == _MISSING_WORD:
            del words[place]
            return words, True
    return words, False


def _sequences(
    invocation: Invocation, word: str, expected: str | None
) -> list[tuple[OnDisk, FrameRanges | None]]:
    """The sequences that `word` means, with the frames that are expected of each."""
    from kassettui.cli.disk import sequences_at
    from kassettui.core.frames import FrameRanges

    asked = FrameRanges.parse(expected) if expected else None
    try:
        found = sequences_at(word)
    except NotFound as not_on_disk:
        path, kept = _asset(invocation, word, not_on_disk)
        found = sequences_at(path)
        asked = asked or (FrameRanges.parse(kept) if kept else None)
    if not found:
        raise NotFound(f"There is no sequence in {word}.")
    return [(each, asked or each.declared or None) for each in found]


def _asset(invocation: Invocation, word: str, not_on_disk: NotFound) -> tuple[str, str | None]:
    """The path and expected ranges of the sequence in the library that `word` selects."""
    from kassettui.library import assets

    if not invocation.settings.library_path.exists():
        raise not_on_disk
    library = invocation.reading()
    try:
        asset = library.read(lambda db: assets.get(db, assets.resolve(db, word)))
    except NotFound:
        raise not_on_disk from None
    if asset.kind != "sequence":
        raise InvalidInput(f"{asset.name} is no sequence but of kind {asset.kind}.")
    return asset.path, asset.expected_ranges


def _by_stat(found: OnDisk, expected: FrameRanges | None) -> Examined:
    """What names, sizes and times tell (H0)."""
    from kassettui.core.health import examine

    return Examined(found, examine(found.group, time.time_ns(), expected=expected), expected)


def _examined(
    invocation: Invocation, found: Sequence[tuple[OnDisk, FrameRanges | None]], level: int
) -> list[Examined]:
    """Every sequence, looked at as deep as was asked."""
    if level == 0:
        return [_by_stat(each, expected) for each, expected in found]
    from kassettui.cli.frame_checks import look_into

    looked = look_into(invocation, found, level)
    return [
        Examined(each, health, expected, findings)
        for (each, expected), (health, findings) in zip(found, looked, strict=True)
    ]


def _show_missing(invocation: Invocation, examined: Sequence[Examined], *, resubmit: bool) -> None:
    lacking = [each for each in examined if (each.unusable if resubmit else each.health.absent)]
    if resubmit and len(examined) == 1:
        for each in lacking:
            invocation.output.text(each.unusable.text)
        return
    key = "resubmit_ranges" if resubmit else "missing_ranges"
    columns = (Column("name", "name", shrinks=True), Column(key, "render again" if resubmit else "missing"))
    invocation.output.table(columns, (each.row() for each in lacking))
    if not lacking:
        invocation.people.note("Nothing is missing.")


def _show_one(invocation: Invocation, each: Examined) -> None:
    """The strip, and the facts below it."""
    from kassettui.cli import strip

    output, row = invocation.output, each.row()
    whole = each.found.group.ranges.union(each.expected) if each.expected else each.found.group.ranges
    ends = f"{whole.first}", f"{whole.last}"
    cells = each.strip(max(1, output.width - len("".join(ends)) - 6))
    output.line(safe(each.found.name), "strong")
    drawn = strip.draw(cells, color=output.color, unicode=output.unicode)
    output.line(f"{ends[0]} {drawn} {ends[1]}")
    if legend := strip.legend(cells, color=output.color, unicode=output.unicode):
        output.line(legend)
    facts = [
        Fact("health", health_words(row["state"]), health_style(row["state"])),
        Fact("frames", f"{wording.number(row['frames'])}: {row['frame_ranges']}"),
    ]
    labelled = (
        ("expected", row["expected_ranges"]),
        ("missing", row["missing_ranges"]),
        *((str(state).replace("_", " "), _frames_in(each, state)) for state in each.health.counts),
        ("NaN or infinite", row["odd_ranges"]),
        ("all black", row["black_ranges"]),
        ("padded otherwise", ", ".join(name["name"] for name in row["bad_padding"])),
        ("twice", ", ".join(name["name"] for name in row["duplicate_frames"])),
    )
    facts += [Fact(label, text) for label, text in labelled if text]
    facts.append(Fact("size", wording.size(row["size"])))
    facts += [Fact("warning", warning, "warn") for warning in row["warnings"]]
    output.facts(facts)


def _frames_in(each: Examined, state: FrameState) -> str:
    from kassettui.core.frames import FrameRanges

    return FrameRanges.of(frame for frame, found in each.health.bad if found is state).text
