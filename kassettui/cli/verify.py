"""`verify`: files against a list of sums, an ASC MHL history, or the hashes in the library (spec:
files F18).
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import file_values, wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.manifest import existing_library, proving
from kassettui.cli.options import command
from kassettui.cli.tables import Column
from kassettui.core.errors import ExitCode, NotFound

if TYPE_CHECKING:
    from kassettui.files.verify import Verification
    from kassettui.jobs.control import Control
    from kassettui.library.library import Library

_ROWS: Final = (
    Column("fault", "", style=lambda _: "bad"),
    Column("path", "path", shrinks=True),
    Column("detail", "", rank=1, shrinks=True),
)


@command(
    "verify",
    examples=(
        ("kassettui verify /mnt/delivery", "Against its ASC MHL history, or the list of sums in it."),
        ("kassettui verify delivery.xxh128", "Against a list that xxhsum or kassettui made."),
        ("kassettui verify 'approved:yes verified:>30d'", "Assets against their hashes in the library."),
    ),
)
@click.argument("words", nargs=-1, required=True, type=click.Path(), metavar="DIRECTORY|MANIFEST|SEL...")
@click.option("--listed-only", is_flag=True, help="Do not look for files that the list does not name.")
@pass_invocation
def verify(invocation: Invocation, /, words: tuple[str, ...], listed_only: bool) -> int:
    """Find files that changed, are missing, or came since.

    Everything is read. What is sound is noted per asset, for `verified:<30d`. Exit 5 when anything is not as
    it was.
    """
    invocation.failure_type = "verification"
    library = existing_library(invocation)
    found = []
    for word in words:
        work = partial(_verify, word, library, extra=not listed_only)
        verification = proving(invocation, "verify", work)
        found.append(verification)
        if library is not None:
            from kassettui.files import proving as keeping
            from kassettui.library.stamps import now

            keeping.keep(library, _root_of(word), verification, now())
    _tell(invocation, found)
    return ExitCode.DONE if all(each.whole for each in found) else ExitCode.DAMAGED


def _verify(word: str, library: Library | None, control: Control, *, extra: bool) -> Verification:
    """Against whatever `word` means. Raises NotFound."""
    from kassettui.files import generations, manifests
    from kassettui.files import verify as checks

    path = os.path.abspath(word)
    if os.path.isdir(path):
        if generations.exists(path):
            return checks.verify_history(path, control)
        listed = checks.find_list(path)
        if not listed:
            raise NotFound(
                f"{word} has neither an ASC MHL history nor a list of sums.",
                remedy=f"kassettui manifest create {word} makes one.",
            )
        return checks.verify_sums(listed, control, extra=extra)
    if os.path.isfile(path) and manifests.looks_like_one(path):
        return checks.verify_sums(path, control, extra=extra)
    if library is None:
        raise NotFound(f"{word} is no directory, no list of sums, and there is no library.")
    from kassettui.cli.selectors import select
    from kassettui.files.proving import verify_assets

    return verify_assets(library, select(library, (word,)), control)


def _root_of(word: str) -> str:
    """What the paths of findings are relative to."""
    path = os.path.abspath(word)
    return path if os.path.isdir(path) else os.path.dirname(path)


def _tell(invocation: Invocation, found: list[Verification]) -> None:
    documents = [_fields(each) for each in found]
    if invocation.flags.json:
        if len(documents) == 1:
            invocation.output.document("verification", documents[0])
        else:
            invocation.output.json_list("verifications", documents)
        return
    rows = [row for document in documents for row in document["findings"]]
    if rows:
        invocation.output.table(_ROWS, rows)
    for each in found:
        words = f"{wording.plural(each.checked, 'file')}, {wording.size(each.size)} read"
        wrong = (
            f"{wording.number(len(each.findings))} not as they were" if each.findings else "all as they were"
        )
        invocation.people.note(f"{each.against}: {words}, {wrong}.")


def _fields(each: Verification) -> dict[str, Any]:
    return {
        "status": "success" if each.whole else "damaged",
        "against": each.against,
        "checked": each.checked,
        "bytes": each.size,
        "findings": [file_values.finding_fields(finding) for finding in each.findings],
    }
