"""`show`: everything that is known of an asset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.cli.tables import Fact
    from kassettui.library.assets import Asset
    from kassettui.library.library import Library

# Shown by words of their own, or of no use to a person.
_SILENT: Final = frozenset(
    {
        "uuid", "name", "path", "pattern", "kind", "state", "health", "size", "mtime", "mtime_ns",
        "extension", "collection", "collection_id", "canonical_key", "key_version", "is_deleted",
        "sequence_pattern", "frame_ranges", "frame_count", "frame_first", "frame_last", "frame_step",
        "frame_padding", "health_frames", "enrichments", "enricher_checksum", "content_signature",
    }
)  # fmt: skip
_LABELS: Final = {
    "health_at": "checked",
    "approved_for_broadcast": "approved",
    "health_counts": "frame states",
}


@command(
    "show",
    examples=(
        ("kassettui show 3f2a9c01", "By the start of its uuid."),
        ("kassettui show /shows/abc/sh010/comp/beauty.#.exr --json", "By its pattern, for a machine."),
        ("kassettui find health:broken --fields uuid --format csv", "What to show next."),
    ),
)
@click.argument("selectors", nargs=-1, required=True, metavar="ASSET...")
@pass_invocation
def show(invocation: Invocation, /, selectors: tuple[str, ...]) -> None:
    """Everything that is known of an asset.

    ASSET is a uuid or its start, a path, a pattern, or a query; `-` reads uuids from stdin. With --json one
    document for one asset, a list for several.
    """
    from kassettui.cli.selectors import select
    from kassettui.library import assets

    library = invocation.reading()
    found = library.read(assets.several, select(library, selectors))
    if invocation.flags.json and len(found) == 1:
        invocation.output.document("asset", document(library, found[0]))
    elif invocation.flags.json:
        invocation.output.json_list("assets", (document(library, asset) for asset in found))
    else:
        for number, asset in enumerate(found):
            if number:
                invocation.output.text("\n")
            invocation.output.facts(_facts(document(library, asset)))


def document(library: Library, asset: Asset) -> dict[str, Any]:
    """An asset with all that hangs on it."""
    from kassettui.cli.assets import hangs_on, pattern_of, row_of
    from kassettui.library import assets, collections, enrichments, folders

    row = row_of(asset) | hangs_on(asset.id, library.read(assets.attached, [asset.id]))
    pattern = pattern_of(row)
    row["pattern"] = None if pattern is None else pattern.text()
    row["collection"] = library.read(collections.get, asset.collection_uuid).name
    attached = library.read(assets.attached, [asset.id])
    row["folders"] = [library.read(folders.path_of, one) for one in attached.folders.get(asset.id, ())]
    row["enrichments"] = dict(library.read(enrichments.errors_of, [asset.id]).get(asset.id, {}))
    return row


def _facts(row: dict[str, Any]) -> Iterator[Fact]:
    """The document in words: who it is, how it stands, then what else is known."""
    from kassettui.cli import wording
    from kassettui.cli.assets import TIMES, shown_name, state_words, words
    from kassettui.cli.states import health_style, health_words, stars, state_style
    from kassettui.cli.tables import Fact

    yield Fact("name", shown_name(row), "strong")
    yield Fact("path", row["path"])
    yield Fact("id", row["uuid"])
    yield Fact("collection", row["collection"])
    yield Fact("kind", row["kind"])
    yield Fact("state", state_words(row), state_style(row["state"]))
    if row["health"]:
        yield Fact("health", health_words(row["health"]), health_style(row["health"]))
    if row["frame_ranges"]:
        yield Fact("frames", f"{wording.number(row['frame_count'])}: {row['frame_ranges']}")
    yield Fact("size", f"{wording.size(row['size'])} ({wording.number(row['size'])} bytes)")
    if row["mtime_ns"] is not None:
        yield Fact("modified", wording.moment(row["mtime_ns"] // 1000))
    for name, value in row.items():
        if name in _SILENT or value in (None, "", False) or value in ([], {}):
            continue
        label = _LABELS.get(name) or name.removesuffix("_at").replace("_", " ")
        if name in TIMES:
            yield Fact(label, wording.moment(wording.from_iso(value)))
        else:
            yield Fact(label, stars(value) if name == "rating" else words(value))
    for enricher, error in row["enrichments"].items():
        if error:
            yield Fact(f"{enricher} failed", error, "bad")
    if ran := [enricher for enricher, error in row["enrichments"].items() if not error]:
        yield Fact("enriched", ", ".join(ran))
