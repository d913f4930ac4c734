"""What `thumb`, `contact-sheet` and `preview` share: options, asking the decoders, writing a picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from kassettui.core.errors import (
    DamageFound,
    ExitCode,
    InvalidInput,
    KassettuiError,
    NotFound,
    Refused,
    SourceOffline,
)
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.cli.invocation import Invocation
    from kassettui.jobs.control import Control
    from kassettui.media.facts import Look
    from kassettui.media.messages import Answer, Failed, Rendered, Request

F = TypeVar("F", bound="Callable[..., Any]")

_LOOKS: Final = (
    click.option("--layer", default="", metavar="NAME", help="A layer or channel: diffuse, N, Z, mask.A…"),
    click.option(
        "--exposure", type=float, default=0.0, metavar="STOPS", help="Brighter or darker, in stops."
    ),
    click.option("--display", default="", metavar="NAME", help="A display of the OpenColorIO configuration."),
    click.option("--view", default="", metavar="NAME", help="A view of that display."),
    click.option("--alpha", is_flag=True, help="The alpha alone."),
    click.option("--frame", type=int, metavar="N", help="A sequence's frame; a movie's, from 0."),
)


def look_options(function: F) -> F:
    """The options that say how a picture looks, in front of a command's own."""
    for option in reversed(_LOOKS):
        function = option(function)
    return function


def look_of(layer: str, exposure: float, display: str, view: str, alpha: bool) -> Look:
    """Those options as a value. Raises InvalidInput for an exposure that makes no sense."""
    from kassettui.media.facts import Look

    if not -30 <= exposure <= 30:
        raise InvalidInput(f"An exposure of {exposure:g} stops is out of range.", remedy="Use -30 to 30.")
    return Look(display=display, view=view, exposure=exposure, layer=layer, alpha_only=alpha)


def ask(invocation: Invocation, title: str, request: Request) -> Rendered:
    """One picture from the decoders, stoppable. Raises what `failure` makes of a failure."""
    from kassettui.media.messages import Failed, FailureCode, Rendered

    answer = answer_to(invocation, title, request)
    if isinstance(answer, Rendered):
        return answer
    if not isinstance(answer, Failed):
        answer = Failed(FailureCode.CRASHED, "the decoder answered something else")
    raise failure(title, answer)


def answer_to(invocation: Invocation, title: str, request: Request) -> Answer | None:
    """What the decoders say; None when they were closed. Raises Interrupted."""
    from kassettui.cli.background import in_background
    from kassettui.media.sequences import wait_for
    from kassettui.media.waiting import Priority

    workspace = invocation.workspace(read_only=True)

    def work(control: Control, _tell: Callable[[Any], None]) -> Answer | None:
        return wait_for(workspace.decoders.submit(request, priority=Priority.VISIBLE), control)

    return in_background(
        invocation.interruption, workspace.jobs, title, work, lambda _: None, kind="picture", queue="decode"
    )


def failure(name: str, failed: Failed) -> KassettuiError:
    """What a person is told of a picture that could not be made."""
    from kassettui.media.messages import FailureCode

    what = f"{safe(name)} gives no picture: {safe(failed.reason)}."
    if failed.code is FailureCode.GONE:
        return NotFound(what)
    if failed.code is FailureCode.NO_LAYER:
        return InvalidInput(what)
    if failed.code is FailureCode.UNSUPPORTED:
        return Refused(what, remedy="See what can be decoded with: kassettui doctor")
    if failed.code is FailureCode.UNREADABLE:
        return SourceOffline(what, remedy="Check its permissions and the mount.")
    if failed.code is FailureCode.TOO_LARGE:
        return Refused(what, remedy="The limit is media.megapixels in the settings.")
    return DamageFound(what, remedy="Look closer with: kassettui frames PATH --check 2")


def verdict_code(invocation: Invocation, name: str, picture: Rendered) -> ExitCode:
    """Done, or 5 with a warning for a file that is not whole (P3)."""
    if picture.state == "ok":
        return ExitCode.DONE
    invocation.people.warn(f"{name} is {str(picture.state).replace('_', ' ')}: {picture.reason}")
    return ExitCode.DAMAGED


def write_file(path: str, data: bytes) -> None:
    """`data` at `path`: whole or not at all, with the permissions that new files get. Raises Refused."""
    directory, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(directory, f".{name[:200]}.{os.urandom(6).hex()}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Refused(f"{safe(path)} cannot be written: {error.strerror}.") from error
