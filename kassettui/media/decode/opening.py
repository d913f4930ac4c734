"""Opening a file for a decoder: only plain files, and the format by content (P1)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Self

from kassettui.core.kinds import split_extension
from kassettui.media import formats
from kassettui.media.decode.picture import Undecodable
from kassettui.media.messages import FailureCode
from kassettui.media.structure.reading import NotRegular, open_regular

if TYPE_CHECKING:
    from types import TracebackType

# What decoders may see as it is: some take "?", ":" or "%" for more than a part of a name; all want UTF-8.
_PLAIN: Final = re.compile(r"/[\w ./+,=@~^()\[\]{}#-]*")


class OpenFile:
    """A plain file, open for as long as it is decoded. Use as a context manager."""

    __slots__ = ("fd", "format", "path", "size")

    def __init__(self, path: bytes) -> None:
        """Open and recognise the file. Raises Undecodable."""
        self.path = os.fsdecode(path)
        try:
            self.fd = open_regular(path)
        except NotRegular:
            raise Undecodable(FailureCode.UNREADABLE, "not a regular file") from None
        except FileNotFoundError:
            raise Undecodable(FailureCode.GONE, "not there any more") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "cannot be read"
            raise Undecodable(FailureCode.UNREADABLE, reason) from None
        try:
            self.size = os.fstat(self.fd).st_size
            self.format = self._recognise()
        except BaseException:
            os.close(self.fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    @property
    def alias(self) -> str:
        """A name that leads to this very file whatever its own name is."""
        return f"/proc/self/fd/{self.fd}"

    @property
    def plugin_name(self) -> str:
        """The name to give a decoder that also looks at extensions: the own one where that is harmless."""
        extension = split_extension(self.path.rpartition("/")[2])[1]
        if _PLAIN.fullmatch(self.path) and extension.lower() in self.format.extensions:
            try:
                self.path.encode()
            except UnicodeEncodeError:
                return self.alias
            return self.path
        return self.alias

    def _recognise(self) -> formats.Format:
        if self.size == 0:
            raise Undecodable(FailureCode.DAMAGED, "0 bytes")
        extension = split_extension(self.path.rpartition("/")[2])[1]
        head = os.pread(self.fd, formats.HEAD_BYTES, 0)
        row = formats.identify(head, extension)
        if row is not None:
            return row
        if (named := formats.by_extension(extension)) is not None:
            raise Undecodable(FailureCode.DAMAGED, f"does not begin like {named.label}")
        raise Undecodable(FailureCode.UNSUPPORTED, f"no decoder for .{extension}" if extension else "unknown")
