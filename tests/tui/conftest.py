"""The screen on a real library, driven by Textual's pilot inside `asyncio.run`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.config import Settings
from kassettui.core.items import Item
from kassettui.core.kinds import Kind
from kassettui.library import assets, collections, tags
from kassettui.observe import log
from kassettui.tui.app import Kassettui
from kassettui.tui.library.asset_list import AssetList
from kassettui.tui.library.place import LibraryPlace
from kassettui.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen as TextualScreen

_PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _no_log_left() -> Iterator[None]:
    yield
    log.configure(None)
    log.clear_recent()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings().with_library(tmp_path / "show.kassettui")


def fill(settings: Settings, names: Sequence[str]) -> None:
    """A library with stills of these names, and one tag."""
    items = [
        Item(
            key=f"fs:{number:07}",
            kind=Kind.IMAGE,
            path=f"/show/{name}",
            directory="",
            name=name,
            extension="png",
            size=1000,
            mtime_ns=1_700_000_000_000_000_000,
            signature=f"f1:{number}",
            layout={},
        )
        for number, name in enumerate(names)
    ]
    with Workspace.open(settings, create=True) as workspace:
        uuid = workspace.library.write(collections.create, "show", "/show").uuid
        workspace.library.write(assets.create_many, uuid, [assets.Found(item) for item in items])
        if items:
            workspace.library.write(tags.add, [1], ["hero"])


@dataclass
class Screen:
    """The running app with its pilot."""

    app: Kassettui
    pilot: Pilot[None]

    @property
    def place(self) -> LibraryPlace:
        return self.app.shell.query_one(LibraryPlace)

    @property
    def assets(self) -> AssetList:
        return self.app.shell.query_one(AssetList)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so; fails when it never is."""
        async with asyncio.timeout(_PATIENCE):
            while not true():
                await self.pilot.pause(0.01)

    async def ready(self) -> None:
        """The list is read."""
        await self.until(lambda: self.assets.complete and self.assets.current is not None)

    def lines(self) -> list[str]:
        """What stands on the screen now."""
        width, height = self.app.size
        return [
            "".join(segment.text for segment in strip)[:width]
            for strip in self.app.screen._compositor.render_strips()
        ][:height]

    async def at(self, kind: type[TextualScreen[Any]]) -> None:
        """Wait for a dialog, or for its end."""
        await self.until(lambda: isinstance(self.app.screen, kind))
        await self.pilot.pause()

    @property
    def told(self) -> str:
        """What was said in passing."""
        return " ".join(one.message for one in self.app._notifications)

    @property
    def text(self) -> str:
        return "\n".join(self.lines())


def run(
    settings: Settings, play: Callable[[Screen], Awaitable[None]], size: tuple[int, int] = (80, 24)
) -> Kassettui:
    """Run the app on the library of the settings; `play` drives it."""

    async def main(workspace: Workspace) -> Kassettui:
        app = Kassettui(workspace)
        async with app.run_test(size=size, notifications=True) as pilot:
            await play(Screen(app, pilot))
        return app

    with Workspace.open(settings, create=True) as workspace:
        return asyncio.run(main(workspace))
