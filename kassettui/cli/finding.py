"""`ls` and `find`: assets by a query, in every shape (spec: cli, library L7, L8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kassettui.library.assets import Asset, Summary
    from kassettui.library.library import Library
    from kassettui.library.search import Cursor, Page

NOTATIONS: Final = ("native", "nuke", "rv", "houdini", "ffmpeg", "glob", "fileseq")
FORMATS: Final = ("table", "json", "json-lines", "csv", "paths")
_PAGE: Final = 500
_FIRST_PAGE: Final = 100
_EVERYTHING: Final = "sort:path"

_OPTIONS: Final = (
    click.option("--sort", metavar="FIELD", help="Order by a field; -FIELD: the largest first."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many."),
    click.option("--after", metavar="CURSOR", help="Go on where a page ended: `next` of its JSON."),
    click.option("--fields", metavar="A,B,…", help="These fields, in this order."),
    click.option("--format", "shape", type=click.Choice(FORMATS), help="How to print them."),
    click.option(
        "--pattern-format",
        "notation",
        type=click.Choice(NOTATIONS),
        default="native",
        show_default=True,
        help="How paths of sequences are written.",
    ),
    click.option("--frames", is_flag=True, help="Paths of the frames' files."),
    click.option("-0", "--null", is_flag=True, help="Paths, each ended by NUL."),
)


def list_options(body: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that lists assets."""
    for option in reversed(_OPTIONS):
        body = option(body)
    return body


@command(
    "ls",
    examples=(
        ("kassettui ls", "Everything, by its path."),
        ("kassettui ls shot:sh010 --sort -mtime", "A shot, the newest first."),
        ("kassettui ls --fields name,frame_ranges,size --format csv", "For a spreadsheet."),
    ),
)
@click.argument("query", nargs=-1)
@list_options
@pass_invocation
def ls(invocation: Invocation, /, query: tuple[str, ...], **options: Any) -> None:
    """List assets.

    Without QUERY all of them; see `kassettui find -h` for what a query can say.
    """
    _Listing(invocation, query, **options).show()


@command(
    "find",
    examples=(
        ("kassettui find comp sh020", "All words must occur in name, path, title, description or tags."),
        (
            "kassettui find 'shot:sh020 task:comp missing:>0 sort:-mtime'",
            "Fields: contains, compares, sorts.",
        ),
        ("kassettui find 'health:broken OR health:holes' --json", "For a machine."),
        ("kassettui find 'kind:sequence size:>10G' --format paths --pattern-format nuke", "Paths for Nuke."),
        ("kassettui find shot:sh010 --format paths --frames -0 | xargs -0 du -ch", "Every frame's file."),
        ("kassettui find 'rating:>=4' --explain", "How a query is understood."),
    ),
)
@click.argument("query", nargs=-1, required=True)
@list_options
@click.option("--explain", is_flag=True, help="Show how the query is understood and run, and no assets.")
@pass_invocation
def find(invocation: Invocation, /, query: tuple[str, ...], explain: bool, **options: Any) -> None:
    """Search the library.

    QUERY is words and `field:value`, joined by AND, OR, NOT and parentheses: `=` exact, `~` regex, `>`, `>=`,
    `<`, `<=`, `a..b`, `size:>2G`, `mtime:>-7d`, `field:*` for any value, `-word` for without, `sort:-mtime`.
    """
    if explain:
        _explain(invocation, " ".join(query))
    else:
        _Listing(invocation, query, **options).show()


def listing(invocation: Invocation, query: Sequence[str], **options: Any) -> None:
    """What `ls` and `find` do, for other commands that list assets; `options`: those of `list_options`."""
    _Listing(invocation, query, **options).show()


class _Listing:
    """One listing: pages from the library, rows in the shape asked for."""

    def __init__(
        self,
        invocation: Invocation,
        query: Sequence[str],
        *,
        sort: str | None,
        limit: int | None,
        after: str | None,
        fields: str | None,
        shape: str | None,
        notation: str,
        frames: bool,
        null: bool,
    ) -> None:
        from kassettui.library.search import Cursor

        self._invocation = invocation
        self._query = " ".join(query) + (f" sort:{sort}" if sort else "")
        if not self._query.strip():
            self._query = _EVERYTHING
        self._limit = limit
        self._after: Cursor | None = Cursor.parse(after) if after else None
        self._shape = "paths" if null or frames else shape or ("json" if invocation.flags.json else "table")
        self._null = null
        self._frames = frames
        self._notation = notation
        self._fields = self._known_fields(fields)
        self._found = 0
        self._next: Cursor | None = None
        self._library: Library = invocation.reading()

    def show(self) -> None:
        """The rows in their shape."""
        from kassettui.cli import assets as rows

        output = self._invocation.output
        columns = rows.columns_of(self._fields) if self._fields else rows.COLUMNS
        match self._shape:
            case "json":
                output.json_list("assets", self._documents(), lambda: self._next.text if self._next else None)
            case "json-lines":
                self._invocation.streams = True
                for row in self._documents():
                    output.event({"type": "asset", **row})
                output.event(self._summary())
            case "csv":
                output.csv(columns, self._rows())
            case "paths":
                output.paths(self._paths(), null=self._null)
            case _:
                output.table(columns, self._rows())
        if not self._found:
            self._invocation.people.note("Nothing found.")
        elif self._next is not None:
            self._invocation.people.note(f"There is more: --after {self._next.text}")

    def _summary(self) -> dict[str, Any]:
        following = self._next.text if self._next else None
        return {
            "schema_version": 1,
            "type": "summary",
            "status": "success",
            "count": self._found,
            "next": following,
        }

    def _known_fields(self, text: str | None) -> list[str]:
        from kassettui.cli.assets import asset_fields, fields_named

        return fields_named(text, asset_fields()) if text else []

    def _documents(self) -> Iterator[dict[str, Any]]:
        """The rows as they are printed as JSON."""
        for row in self._rows():
            yield {name: row.get(name) for name in self._fields} if self._fields else row

    def _paths(self) -> Iterator[str]:
        from kassettui.cli.assets import paths_of
        from kassettui.core.patterns import Notation

        for row in self._rows():
            yield from paths_of(row, Notation(self._notation), frames=self._frames)

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Every row up to the limit, page by page, each page one short read."""
        from kassettui.library import search

        after, size = self._after, _FIRST_PAGE
        while True:
            left = None if self._limit is None else self._limit - self._found
            page = self._library.read(
                search.page, self._query, after, size if left is None else min(size, left)
            )
            for row in self._complete(page):
                self._found += 1
                yield row
            after, size = page.next, _PAGE
            if after is None or self._found == self._limit:
                self._next = after
                return

    def _complete(self, page: Page) -> Iterator[dict[str, Any]]:
        from kassettui.cli.assets import hangs_on, pattern_of, row_of, summary_fields
        from kassettui.core.patterns import Notation
        from kassettui.library import assets

        rows: Sequence[Summary | Asset] = page.rows
        if not summary_fields().issuperset(self._fields):
            rows = self._library.read(assets.several, [row.id for row in page.rows])
        for asset in rows:
            row = row_of(asset) | hangs_on(asset.id, page.attached)
            pattern = pattern_of(row)
            row["pattern"] = None if pattern is None else pattern.text(Notation(self._notation))
            yield row


def _explain(invocation: Invocation, query: str) -> None:
    """The tree, the statement and its parameters, and how the database goes about it."""
    from kassettui.cli.tables import Fact
    from kassettui.library import search

    explained = invocation.reading().read(search.explained, query)
    if invocation.flags.json:
        invocation.output.document(
            "query",
            {
                "query": query,
                "tree": list(explained.tree),
                "sql": explained.sql,
                "parameters": list(explained.parameters),
                "shape": explained.shape,
                "steps": list(explained.steps),
            },
        )
        return
    facts = [Fact("" if number else "query", line) for number, line in enumerate(explained.tree)]
    facts += [Fact("sql", explained.sql), Fact("parameters", ", ".join(map(repr, explained.parameters)))]
    facts += [Fact("" if number else "steps", line) for number, line in enumerate(explained.steps)]
    invocation.output.facts(facts)
