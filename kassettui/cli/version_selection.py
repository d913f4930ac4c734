"""Which version groups a command is about: those of assets, or a scope said in options (spec: library V1)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from kassettui.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.library.library import Library
    from kassettui.library.versions import Data, Group, Scope, Version


def scope_options(body: Callable[..., Any]) -> Callable[..., Any]:
    """`--project`, `--entity`, `--key`."""
    for option in reversed(
        (
            click.option("--project", metavar="NAME", help="The project, instead of an asset."),
            click.option(
                "--entity",
                "entities",
                multiple=True,
                metavar="KIND=NAME",
                help="shot=sh010, scene=3…; repeatable, all of one kind. Without: the project itself.",
            ),
            click.option("--key", metavar="ROLE", help="The role: comp, plate, scene_video…"),
        )
    ):
        body = option(body)
    return body


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said: assets, or project, entities and key."""

    selector: str | None
    project: str | None
    entities: tuple[str, ...]
    key: str | None

    @property
    def scoped(self) -> bool:
        """Whether a scope was said."""
        return self.project is not None or bool(self.entities) or self.key is not None

    def scope(self) -> tuple[Scope, str]:
        """The scope and the key. Raises InvalidInput when something of it is missing."""
        from kassettui.library.versions import Scope

        if self.project is None or self.key is None:
            raise InvalidInput(
                "A scope is a --project and a --key, with or without --entity.",
                remedy="For instance: --project abc --entity shot=sh010 --key comp",
            )
        kinds: dict[str, list[str]] = {}
        for entity in self.entities:
            kind, equals, name = entity.partition("=")
            if not equals:
                raise InvalidInput(f"{entity!r} is no entity.", remedy="For instance: --entity shot=sh010")
            kinds.setdefault(kind, []).append(name)
        if len(kinds) > 1:
            raise InvalidInput(f"The entities of a scope are of one kind, not {', '.join(kinds)}.")
        for kind, names in kinds.items():
            return Scope(self.project, kind, tuple(names)), self.key
        return Scope(self.project), self.key

    def groups(self, library: Library) -> list[Group]:
        """The groups in question, each once. Raises NotFound, InvalidInput."""
        from kassettui.cli.selectors import select
        from kassettui.library import versions

        if self.selector is not None:
            ids = select(library, (self.selector,))
            found = library.read(versions.of_assets, ids)
            group_ids = list(dict.fromkeys(found[one] for one in ids if one in found))
            if not group_ids:
                raise NotFound(f"{self.selector} is a version of nothing.")
        else:
            scope, key = self.scope()
            group_ids = library.read(versions.required_of_scope, scope, key)
        return library.read(versions.groups, group_ids)

    def one(self, library: Library) -> Group:
        """The one group in question. Raises InvalidInput when it is several."""
        found = self.groups(library)
        if len(found) > 1:
            raise InvalidInput(
                f"That is {len(found)} version groups.", remedy="Name an asset of one of them."
            )
        return found[0]


def data_of(library: Library, word: str) -> Data:
    """What somebody gives as a version: `asset:SEL`, `path:/x`, `uri:…`, `text:…`, or what it looks like."""
    from kassettui.cli.selectors import one
    from kassettui.library import assets
    from kassettui.library.versions import Data, DataKind

    kind, colon, rest = word.partition(":")
    if colon and kind in ("path", "uri", "text"):
        return Data(DataKind(kind), os.path.abspath(rest) if kind == "path" else rest)
    if not (colon and kind == "asset"):
        if "://" in word:
            return Data(DataKind.URI, word)
        rest = word
    try:
        return Data(DataKind.ASSET, library.read(assets.get, one(library, rest)).uuid)
    except NotFound:
        if rest is word and os.path.lexists(word):
            return Data(DataKind.PATH, os.path.abspath(word))
        raise


def numbers_for(groups: Sequence[Group], numbers: Sequence[int]) -> dict[int, int]:
    """A number for each group: one for all of them, or one each. Raises InvalidInput."""
    given = list(numbers) * len(groups) if len(numbers) == 1 else list(numbers)
    if len(given) != len(groups):
        raise InvalidInput(f"There are {len(groups)} version groups and {len(numbers)} numbers.")
    return {group.id: number for group, number in zip(groups, given, strict=True)}


def number_of(text: str) -> int:
    """`12`, `v012`, `none` (0). Raises InvalidInput."""
    digits = text[1:] if text[:1] in "vV" else text
    if text.lower() in ("none", "clear"):
        return 0
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise InvalidInput(f"{text!r} is no version.", remedy="For instance: 12, v012, or none")
    return int(digits)


def numbered(library: Library, group_: Group, number: int) -> Version:
    """A version of a group by its number. Raises NotFound."""
    from kassettui.library import versions

    for one in library.read(versions.of_groups, [group_.id]).get(group_.id, []):
        if one.number == number:
            return one
    raise NotFound(f"{group_.key.key} has no version {number}.", remedy="See: kassettui version ls")


def short_fields(one: Version) -> dict[str, Any]:
    """A version as an answer names it."""
    return {"uuid": one.uuid, "number": one.number, "type": str(one.type), "best": one.best}
