"""What a shell offers while a person types a name of the library; whatever goes wrong offers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.cli.invocation import Invocation
from kassettui.core.errors import KassettuiError
from kassettui.core.text import safe

if TYPE_CHECKING:
    import click


def collection_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of collections that begin so. Names that a terminal would obey are not offered (T7)."""
    from kassettui.library import collections

    invocation = context.find_object(Invocation)
    if invocation is None:
        return []
    try:
        names = [one.name for one in invocation.reading().read(collections.everything)]
    except KassettuiError:
        return []
    start = incomplete.casefold()
    return [name for name in names if name.casefold().startswith(start) and safe(name) == name]
