"""Which collection an import is about, whether it may run, and which part is meant (spec: ingest I1, I4)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.core.text import safe
from kassettui.ingest.filesystem import SOURCE_TYPE, Expectation
from kassettui.ingest.plan import Target
from kassettui.library import assets, collections

if TYPE_CHECKING:
    from kassettui.ingest.request import ImportRequest
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


@dataclass(frozen=True, slots=True)
class Selected:
    """A collection, or the one to be made. `below` is what PATH means below its root ("" is all of it)."""

    target: Target
    below: str = ""
    ignore: tuple[str, ...] = ()
    ingestible: bool = True
    sync_enabled: bool = True
    expectation: Expectation = Expectation()  # noqa: RUF009 - an immutable value


def select(library: Library | None, request: ImportRequest) -> Selected:
    """The collection of a request (I1), read once. Raises InvalidInput, NotFound, Ambiguous."""
    path = None if request.path is None else os.path.abspath(request.path)
    if request.collection is None and path is None:
        raise InvalidInput("An import needs a path or a collection.")
    if library is not None:
        found = library.read(_find, request.collection, path)
        if found is not None:
            return _known(*found, request, path)
    if request.collection is not None or path is None:
        raise NotFound(
            f"There is no collection {safe(request.collection or '')!r}.",
            remedy="See them all with: kassettui collections",
        )
    name = library.read(collections.unique_name, _name(request, path)) if library else _name(request, path)
    return _new(request, path, name)


def check_prerequisites(selected: Selected, *, whole: bool) -> None:
    """Whether the collection takes imports (I4); `whole`: all of it is meant. Raises Refused."""
    name = safe(selected.target.name)
    if not selected.ingestible:
        raise Refused(
            f"The collection {name!r} takes no imports.",
            remedy=f"Allow them with: kassettui collections edit {name!r} --ingestible",
        )
    if whole and not selected.sync_enabled:
        raise Refused(
            f"The collection {name!r} is not to be synchronised as a whole; a part of it may be imported.",
            remedy=f"Name a part, or allow it with: kassettui collections edit {name!r} --sync",
        )


def _find(
    db: LibraryDatabase, selector: str | None, path: str | None
) -> tuple[collections.Collection, bool] | None:
    """The collection asked for and whether it has assets."""
    if selector is not None:
        collection = collections.find(db, selector)
    else:
        containing = collections.containing(db, path or "/")
        if containing is None:
            return None
        collection = containing
    return collection, assets.any_living(db, collection.uuid)


def _known(
    collection: collections.Collection, has_items: bool, request: ImportRequest, path: str | None
) -> Selected:
    root = collection.root
    below = ""
    if path is not None and path != root:
        prefix = root.rstrip("/") + "/"
        if not path.startswith(prefix):
            raise InvalidInput(
                f"{safe(path)} does not lie in the collection {safe(collection.name)!r} ({safe(root)})."
            )
        below = path[len(prefix) :]
    if collection.source_type != SOURCE_TYPE:
        raise Refused(
            f"The collection {safe(collection.name)!r} comes from {safe(collection.source_type)}, "
            "which this kassettui cannot enumerate."
        )
    return Selected(
        target=Target(
            uuid=collection.uuid,
            name=collection.name,
            root=root,
            source_type=collection.source_type,
            layout=collection.layout if request.layout is None else request.layout,
            last_ingest_us=collection.last_ingest_time,
        ),
        below=below,
        ignore=(*collection.ignore_patterns, *request.ignore),
        ingestible=collection.ingestible,
        sync_enabled=collection.sync_enabled,
        expectation=Expectation(
            device=collection.root_device,
            inner_mounts=tuple(collection.config.get("inner_mounts", ())),
            items=has_items,
        ),
    )


def _new(request: ImportRequest, path: str, name: str) -> Selected:
    """The collection that this import makes: PATH is its root, or holds it as a file."""
    try:
        os.lstat(path)
    except OSError as error:
        raise NotFound(f"{safe(path)} cannot be read: {error.strerror}.") from error
    root, below = (path, "") if os.path.isdir(path) else os.path.split(path)
    target = Target(uuid=None, name=name, root=root, layout=request.layout or "")
    return Selected(target=target, below=below, ignore=request.ignore)


def _name(request: ImportRequest, path: str) -> str:
    root = path if os.path.isdir(path) else os.path.dirname(path)
    return request.name or os.path.basename(root) or "files"
