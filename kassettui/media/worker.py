"""A decoder process: reads requests from its pipe, answers each, one after the other (P2).

Started by `process.py` as `python -m kassettui.media.worker FD PARENT SETTINGS`. What decoders print goes to
stdout and stderr, which the parent reads into the log. A crash here is an answer too: the parent sees the
pipe close.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import msgspec

from kassettui.media import sandbox
from kassettui.media.messages import (
    LENGTH,
    MAX_MESSAGE,
    Answered,
    Asked,
    Failed,
    FailureCode,
    WorkerSettings,
    pack,
    unpack_asked,
)

if TYPE_CHECKING:
    from kassettui.media.decode.answering import Answering


def main(arguments: list[str]) -> int:
    """Serve the pipe until it closes."""
    fd, parent = int(arguments[0]), int(arguments[1])
    settings = msgspec.json.decode(arguments[2], type=WorkerSettings)
    sandbox.enter(memory=settings.memory, parent=parent)
    answering = _load(settings)
    sandbox.forbid_writing()
    with socket.socket(fileno=fd) as pipe:
        pipe.sendall(LENGTH.pack(0))  # ready
        while (asked := _receive(pipe)) is not None:
            answer = answering.answer(asked.request)
            body = pack(Answered(asked.number, answer, sandbox.resident()))
            if len(body) > MAX_MESSAGE:
                failed = Failed(FailureCode.TOO_LARGE, "the picture is too large to hand over")
                body = pack(Answered(asked.number, failed, sandbox.resident()))
            pipe.sendall(body)
    return 0


def _load(settings: WorkerSettings) -> Answering:
    from kassettui.media.decode.answering import Answering

    return Answering(settings)


def _receive(pipe: socket.socket) -> Asked | None:
    """The next request; None when the parent closed its end."""
    head = _exactly(pipe, LENGTH.size)
    if head is None:
        return None
    body = _exactly(pipe, LENGTH.unpack(head)[0])
    return None if body is None else unpack_asked(body)


def _exactly(pipe: socket.socket, length: int) -> bytearray | None:
    data = bytearray(length)
    view, got = memoryview(data), 0
    while got < length:
        count = pipe.recv_into(view[got:])
        if not count:
            return None
        got += count
    return data


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # decoders' own threads and destructors have nothing to add
