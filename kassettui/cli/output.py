"""stdout: data only, in every shape. No other module of the command line writes there (spec: cli, Streams).

On a terminal outside text is made safe and tables fit the width. Piped, tables are tab-separated. JSON
carries texts as they are, with `<field>_b64` beside every one that is not UTF-8; piped paths are raw bytes.
"""

from __future__ import annotations

import base64
import errno
import os
import re
import select
from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import ExitCode, Interrupted, KassettuiError
from kassettui.core.text import as_json, is_utf8, path_b64, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kassettui.cli.tables import Column, Fact

    Row = Mapping[str, Any]

SCHEMA_VERSION: Final = 1
_FLUSH_AT: Final = 1 << 16
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# What JSON leaves as it is and a terminal would obey: DEL, C1, bidi and invisible characters. C0 it escapes.
_UNSAFE_IN_JSON: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class ReaderLeft(Exception):
    """Whoever read our stdout closed it (`| head`): nothing more is wanted, and that is no error."""


def with_raw_bytes(value: Any) -> Any:
    """`value` ready for JSON: each text that is not UTF-8 gets its bytes in base64 beside it (I27)."""
    if isinstance(value, str):
        return as_json(value)
    if isinstance(value, dict):
        ready = {}
        for key, entry in value.items():
            ready[key] = with_raw_bytes(entry)
            if isinstance(entry, str) and not is_utf8(entry):
                ready[f"{key}_b64"] = path_b64(entry)
        return ready
    if isinstance(value, (list, tuple)):
        return [with_raw_bytes(entry) for entry in value]
    return value


def json_bytes(value: Any) -> bytes:
    """One JSON value on one line, with nothing in it that a terminal would obey."""
    import msgspec

    encoded = msgspec.json.encode(with_raw_bytes(value))
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return _UNSAFE_IN_JSON.sub(_json_escape, encoded.decode()).encode()


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def csv_cell(value: Any) -> str:
    """One CSV cell; text that a spreadsheet would run as a formula gets an apostrophe in front (Security)."""
    if value is None:
        return ""
    text = as_json(value) if isinstance(value, str) else str(value)
    if isinstance(value, str) and text.startswith(_FORMULA):
        text = "'" + text
    if any(character in text for character in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


class Output:
    """The one writer of stdout. `fd` None: stdout is closed, everything is dropped."""

    def __init__(
        self,
        fd: int | None,
        *,
        width: int | None = None,
        color: bool = False,
        encoding: str = "utf-8",
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._fd = fd
        self._shield = shield
        self._encoding = encoding
        self._pending = bytearray()
        self.terminal = fd is not None and os.isatty(fd)
        self.width = width or (terminal_width(fd) if self.terminal and fd is not None else 80)
        self.color = color and self.terminal
        self.unicode = encoding.replace("-", "").lower() == "utf8"
        self.answered = False
        """Whether a document that says how it went has been written."""

    # Documents

    def document(self, kind: str, fields: Row) -> None:
        """One JSON object; `kind` names what it is."""
        self.json({"schema_version": SCHEMA_VERSION, "type": kind, **fields})

    def json(self, value: Any) -> None:
        """A JSON value whose shape is somebody else's (a JSON Schema)."""
        self.answered = True
        self._write(json_bytes(value) + b"\n")
        self.flush()

    def json_list(
        self, kind: str, rows: Iterable[Row], following: Callable[[], str | None] | None = None
    ) -> None:
        """One JSON document with `items`; it stays whole when the rows fail half-way, and says so then.

        `following` gives the cursor of the next page when all rows have been taken.
        """
        rows = iter(rows)
        first = list(_one(rows))  # what fails before the first row is answered by the error alone
        head = json_bytes({"schema_version": SCHEMA_VERSION, "type": kind})
        self.answered = True
        try:
            self._write(head[:-1] + b',"items":[')
            separator = b""
            for row in chain(first, rows):
                self._write(separator + json_bytes(row))
                separator = b",\n"
        except ReaderLeft:
            raise
        except BaseException as error:
            self._write(b'],"next":null,' + json_bytes(failure(error))[1:] + b"\n")
            raise
        self._write(b'],"next":' + json_bytes(following() if following else None) + b"}\n")
        self.flush()

    def event(self, fields: Row) -> None:
        """One line of `--json-lines`, at once. A reader that left is no reason to stop the work."""
        try:
            self._write(json_bytes(fields) + b"\n")
            self.flush()
        except ReaderLeft:
            return

    # Tables

    def table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """A table fitted to the terminal, or tab-separated lines with a header where stdout is none."""
        from kassettui.cli import tables

        if self.terminal:
            lines = tables.fitted(columns, rows, self.width, color=self.color)
        else:
            lines = tables.separated(columns, rows)
        for line in lines:
            self._line(line)
        self.flush()

    def facts(self, facts: Iterable[Fact]) -> None:
        """What is known of one thing: a label and its value a line, long values wrapped on a terminal."""
        from kassettui.cli import tables

        known = list(facts)
        fitted = self.terminal
        lines = tables.labelled(known, self.width, color=self.color) if fitted else tables.tabbed(known)
        for line in lines:
            self._line(line)
        self.flush()

    def csv(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """CSV with the raw values; `path_b64` follows `path`, filled where the cell is not the path."""
        keys = [key for column in columns for key in _csv_keys(column.key)]
        self._line(",".join(keys))
        for row in rows:
            cells = []
            for column in columns:
                value = row.get(column.key)
                cells.append(csv_cell(column.plain(value)))
                if column.key == "path":
                    cells.append(_exact_path(value))
            text = ",".join(cells)
            self._write((safe(text) if self.terminal else text).encode() + b"\n")
        self.flush()

    def paths(self, paths: Iterable[str], *, null: bool = False) -> None:
        """One path a line, or NUL-separated; raw bytes, but safe on a terminal."""
        end = b"\0" if null and not self.terminal else b"\n"
        for path in paths:
            self._write((safe(path).encode() if self.terminal else os.fsencode(path)) + end)
        self.flush()

    def text(self, text: str) -> None:
        """Text of our own: help, a script, a report; its lines stay lines."""
        for line in text.splitlines():
            self._line(line)
        self.flush()

    def line(self, text: str, style: str = "") -> None:
        """One line of text that the caller made safe, painted on a terminal."""
        from kassettui.cli import tables

        self._line(tables.painted(text, style, color=self.color))

    def raw(self, data: bytes) -> None:
        """A file for a pipe, byte by byte; on a terminal its lines are made safe."""
        if self.terminal:
            self.text("\n".join(safe(os.fsdecode(line)) for line in data.splitlines()))
            return
        self._write(data)
        self.flush()

    def drawing(self, data: bytes) -> None:
        """A picture for the terminal: sequences of our own making. Nothing where stdout is no terminal."""
        if self.terminal:
            self._write(data)
            self.flush()

    # Bytes

    def _line(self, text: str) -> None:
        self._write(text.encode(self._encoding if self.terminal else "utf-8", "replace") + b"\n")

    def _write(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the reader. Raises ReaderLeft when there is none any more."""
        pending, self._pending = self._pending, bytearray()
        if self._fd is None or not pending:
            return
        with self._shield():
            try:
                _write_all(self._fd, pending)
            except OSError as error:
                terminal_gone = error.errno == errno.EIO and self.terminal
                self._fd = None
                if error.errno == errno.EPIPE or terminal_gone:
                    raise ReaderLeft from None
                raise KassettuiError(
                    f"stdout could not be written: {os.strerror(error.errno or 0)}.",
                    remedy="What was printed so far is not complete.",
                ) from error

    def close(self) -> None:
        """Flush, and drop whatever comes later."""
        try:
            self.flush()
        finally:
            self._fd = None


def failure(error: BaseException) -> dict[str, Any]:
    """What a JSON document says about the error that ended it."""
    if isinstance(error, KeyboardInterrupt):
        error = Interrupted("Interrupted.")
    if isinstance(error, KassettuiError):
        return {
            "status": "cancelled" if error.exit_code is ExitCode.INTERRUPTED else "error",
            "code": error.code,
            "message": error.message,
            "remedy": error.remedy,
            "exit_code": int(error.exit_code),
            **getattr(error, "facts", {}),
        }
    return {
        "status": "error",
        "code": "internal",
        "message": f"Unexpected error: {type(error).__name__}.",
        "remedy": "The log has the details.",
        "exit_code": int(ExitCode.FAILED),
    }


def terminal_width(fd: int) -> int:
    """The terminal's width in cells; COLUMNS overrides, 80 when nothing is known."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(fd).columns or 80
    except OSError:
        return 80


def _exact_path(path: Any) -> str:
    """The path in base64 where its cell does not say it exactly."""
    if not isinstance(path, str) or (is_utf8(path) and not path.startswith(_FORMULA)):
        return ""
    return base64.b64encode(os.fsencode(path)).decode("ascii")


def _csv_keys(key: str) -> tuple[str, ...]:
    return ("path", "path_b64") if key == "path" else (key,)


def _one(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        return (row,)
    return ()


def _write_all(fd: int, data: bytearray) -> None:
    with memoryview(data) as view:
        done = 0
        while done < len(view):
            try:
                done += os.write(fd, view[done:])
            except BlockingIOError:  # the other end made our pipe non-blocking
                select.select([], [fd], [])
