"""`version add`: versions of a scope's entities, alone or in a batch, with stored copies (library V2, V3)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.version_selection import Asked, data_of, scope_options, short_fields
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.library.library import Library
    from kassettui.library.versions import BatchResult, Operation, Version

TYPES: Final = ("image", "sequence", "video", "audio", "text", "json")


@command(
    "add",
    examples=(
        (
            "kassettui version add --project abc --entity scene=3 --key scene_video --type video take.mov",
            "One.",
        ),
        ("kassettui version add --project abc --key brief --type text 'text:As agreed.'", "Of the project."),
        ("kassettui version add … --store grade.cc", "With a copy of the file, to revert to later."),
        ("kassettui version add --batch operations.json", "Many at once; one that fails stops no other."),
    ),
)
@click.argument("data", nargs=-1, metavar="DATA...")
@scope_options
@click.option("--type", "version_type", type=click.Choice(TYPES), help="What it is of.")
@click.option("--metadata", metavar="JSON", help="A JSON object: model, job id, evaluation…")
@click.option("--best", "set_best", is_flag=True, help="Make it the best.")
@click.option("--store", is_flag=True, help="Keep a copy of the file.")
@click.option(
    "--batch", type=click.File("rb"), metavar="FILE", help="Operations as a JSON array; `-` is stdin."
)
@pass_invocation
def add(
    invocation: Invocation,
    /,
    data: tuple[str, ...],
    version_type: str | None,
    metadata: str | None,
    set_best: bool,
    store: bool,
    batch: Any,
    **scope: Any,
) -> int:
    """Add a version to each entity of a scope: one DATA for each, in their order.

    DATA is an asset (uuid, path, pattern), any other file, a URI, or text:WORDS.
    """
    library = invocation.workspace(create=True).library
    if batch is not None:
        return _add_batch(invocation, library, batch.read())
    if version_type is None:
        raise InvalidInput("A version has a --type.", remedy=f"One of {', '.join(TYPES)}")
    where, key = Asked(None, **scope).scope()
    given = tuple(data_of(library, word) for word in data)
    notes = _metadata(metadata)
    if store:
        made = _stored(library, where, key, version_type, given, notes, set_best)
    else:
        from kassettui.library import versions

        made = library.write(versions.create_versions, where, key, version_type, given, notes, set_best)
    numbers = ", ".join(f"v{one.number:03}" for one in made)
    answer(
        invocation, "versions_added", f"Added: {numbers}.", {"versions": [short_fields(one) for one in made]}
    )
    return ExitCode.DONE


def _stored(library: Library, *given: Any) -> tuple[Version, ...]:
    from kassettui.library import assets
    from kassettui.library.versions import DataKind, storing

    where, key, version_type, data, notes, set_best = given
    paths = []
    for one in data:
        if one.kind not in (DataKind.PATH, DataKind.ASSET):
            raise InvalidInput(f"A {one.kind} has no file to store.")
        found = one.value if one.kind is DataKind.PATH else library.read(assets.by_uuid, one.value).path
        paths.append(found)
    copies = tuple(storing.store_file(path, storing.store_of(library.path)) for path in paths)
    return library.write(storing.create_stored, where, key, version_type, data, copies, notes, set_best)


def _add_batch(invocation: Invocation, library: Library, content: bytes) -> int:
    from kassettui.library import versions

    result: BatchResult = library.write(versions.batch_create_versions, _operations(content))
    fields = {
        "versions": [short_fields(one) for one in result.versions],
        "errors": [
            {"index": one.index, "code": one.error.code, "message": one.error.message}
            for one in result.errors
        ],
    }
    for failed in result.errors:
        invocation.people.warn(f"operation {failed.index}: {failed.error.message}")
    status = {"status": "partial"} if result.errors else {}
    sentence = f"Added: {wording.plural(len(result.versions), 'version')}."
    answer(invocation, "versions_added", sentence, {**fields, **status})
    return ExitCode.PARTIAL if result.errors else ExitCode.DONE


def _operations(content: bytes) -> list[Operation]:
    """Objects with project, kind, entities, key, type, data (of kind and value), metadata, best."""
    from kassettui.library.versions import Data, DataKind, Operation, Scope

    try:
        return [
            Operation(
                Scope(one["project"], one.get("kind", ""), tuple(one.get("entities", ()))),
                one["key"],
                one["type"],
                tuple(Data(DataKind(each["kind"]), each["value"]) for each in one["data"]),
                one.get("metadata", {}),
                one.get("best", False),
            )
            for one in json.loads(content)
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(
            f"These are no operations: {type(error).__name__} {error}.",
            remedy='For instance: [{"project": "abc", "kind": "shot", "entities": ["sh010"], "key": "comp", '
            '"type": "text", "data": [{"kind": "text", "value": "…"}]}]',
        ) from error


def _metadata(text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"--metadata is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput("--metadata is a JSON object.")
    return found
