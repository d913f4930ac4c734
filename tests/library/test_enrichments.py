"""I24: enrichment goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.core.lifecycle import Standing, State
from kassettui.library import assets, collections, enrichments
from tests.library.samples import add, image, sequence

if TYPE_CHECKING:
    from kassettui.library.library import Library


def test_I24_what_is_not_ready_is_unfinished(library: Library) -> None:
    fresh, begun, ready, retired, gone = add(library, *(image(f"{n}.png") for n in range(5)))
    library.write(
        assets.set_standings,
        [
            (begun, Standing(State.ENRICHING)),
            (ready, Standing(State.READY)),
            (retired, Standing(State.RETIRED)),
        ],
    )
    library.write(assets.mark_missing, [gone])
    subjects = library.read(enrichments.unfinished)
    assert [(one.id, one.state) for one in subjects] == [(fresh, State.NEW), (begun, State.ENRICHING)]


def test_I24_it_goes_on_after_what_an_enricher_has_done(library: Library) -> None:
    ids = add(library, *(sequence(f"{n}.#.exr") for n in range(5)))
    library.write(enrichments.note_done, "probe", "1", [(ids[0], None), (ids[1], "not \udcff readable")])

    def lacking(version: str) -> list[int]:
        found = library.read(lambda db: enrichments.unfinished(db, lacking=("probe", version)))
        return [one.id for one in found]

    assert lacking("1") == ids[2:]
    assert lacking("2") == ids, "another version runs over all again"
    assert library.read(enrichments.errors_of, ids) == {
        ids[0]: {"probe": None},
        ids[1]: {"probe": "not \udcff readable"},
    }
    library.write(enrichments.note_done, "probe", "2", [(ids[1], None), (999, None)])
    assert library.read(enrichments.errors_of, [ids[1]]) == {ids[1]: {"probe": None}}


def test_I24_slices_and_choices(library: Library) -> None:
    ids = add(library, *(image(f"{n}.png") for n in range(5)))
    collection = library.read(collections.everything)[0].uuid
    seen: list[int] = []
    after = 0
    while rows := library.read(
        lambda db, after=after: enrichments.unfinished(db, collection_uuid=collection, after=after, limit=2)
    ):
        seen += [one.id for one in rows]
        after = seen[-1]
    assert seen == ids
    chosen = library.read(lambda db: enrichments.unfinished(db, ids=[ids[3], ids[1]]))
    assert [one.id for one in chosen] == [ids[1], ids[3]]
    assert library.read(lambda db: enrichments.unfinished(db, collection_uuid="nobody")) == []
