"""`approve`, `unapprove`, `retire`: a person's word on assets (spec: ingest I12, I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer, chosen, confirmed, selectors_argument, uuids, yes_option
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import ExitCode

if TYPE_CHECKING:
    from kassettui.library.approval import Decided
    from kassettui.library.library import Library


@command(
    "approve",
    examples=(
        ("kassettui approve 'shot:sh020 best:yes'", "What is best of a shot."),
        ("kassettui approve @review --skip-unready", "What can be approved; the rest is listed."),
    ),
)
@selectors_argument
@click.option("--skip-unready", is_flag=True, help="Approve what is ready, and list the rest (exit 4).")
@pass_invocation
def approve(invocation: Invocation, /, selectors: tuple[str, ...], skip_unready: bool) -> int:
    """Approve ready assets for broadcast.

    All that SEL names has to be ready, or nothing is done.
    """
    from kassettui.library import approval

    library, ids = chosen(invocation, selectors)
    return _tell(invocation, library, "approved", library.write(approval.approve, ids, skip_unready))


@command("unapprove", examples=(("kassettui unapprove shot:sh020", "Take the approvals back."),))
@selectors_argument
@pass_invocation
def unapprove(invocation: Invocation, /, selectors: tuple[str, ...]) -> int:
    """Take approvals back."""
    from kassettui.library import approval

    library, ids = chosen(invocation, selectors)
    return _tell(invocation, library, "unapproved", library.write(approval.unapprove, ids))


@command("retire", examples=(("kassettui retire 'tag:old' --yes", "Out of use, without a question."),))
@selectors_argument
@yes_option
@pass_invocation
def retire(invocation: Invocation, /, selectors: tuple[str, ...], yes: bool) -> int:
    """Take assets out of use.

    Their files stay; approval goes with it.
    """
    from kassettui.library import approval

    library, ids = chosen(invocation, selectors)
    if not confirmed(invocation, "Retire", library, ids, yes=yes):
        return ExitCode.DONE
    return _tell(invocation, library, "retired", library.write(approval.retire, ids))


def _tell(invocation: Invocation, library: Library, verb: str, done: Decided) -> int:
    for id_, (_, reason) in zip(uuids(library, [one for one, _ in done.refused]), done.refused, strict=True):
        invocation.people.warn(f"{id_}: {reason}")
    same = f"; {len(done.unchanged)} were so already" if done.unchanged else ""
    sentence = f"{verb.capitalize()}: {wording.plural(len(done.changed), 'asset')}{same}."
    refused = uuids(library, [one for one, _ in done.refused])
    fields = {
        "assets": uuids(library, done.changed),
        "unchanged": len(done.unchanged),
        "refused": [
            {"uuid": uuid, "reason": reason} for uuid, (_, reason) in zip(refused, done.refused, strict=True)
        ],
    }
    answer(invocation, verb, sentence, {**fields, "status": "partial"} if refused else fields)
    return ExitCode.PARTIAL if refused else ExitCode.DONE
