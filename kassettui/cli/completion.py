"""`completion`: the script that teaches a shell our commands and options, and the answers it asks for."""

from __future__ import annotations

import os
from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

from kassettui.cli.invocation import Invocation
from kassettui.cli.options import command
from kassettui.core.errors import ExitCode, InvalidInput

PROGRAM: Final = "kassettui"
VARIABLE: Final = "_KASSETTUI_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish")
_INSTALL: Final = {
    "bash": "kassettui completion bash > ~/.local/share/bash-completion/completions/kassettui",
    "zsh": "kassettui completion zsh > ~/.zfunc/_kassettui   (with ~/.zfunc in fpath)",
    "fish": "kassettui completion fish > ~/.config/fish/completions/kassettui.fish",
}


def _completer(root: click.Command, shell: str, invocation: Invocation) -> ShellComplete:
    kind = get_completion_class(shell)
    if kind is None:
        raise InvalidInput(f"There is no completion for {shell}.", remedy=f"There is: {', '.join(SHELLS)}.")
    return kind(root, {"obj": invocation}, PROGRAM, VARIABLE)


def answer(root: click.Command, invocation: Invocation) -> int:
    """What a shell's completion script asked for through the environment: one candidate a line."""
    shell, _, instruction = os.environ[VARIABLE].partition("_")
    completer = _completer(root, shell, invocation)
    if instruction == "complete":
        invocation.output.text(completer.complete())
    elif instruction == "source":
        invocation.output.text(ShellComplete.source(completer))
    else:
        raise InvalidInput(f"{VARIABLE} must be SHELL_complete or SHELL_source.")
    return ExitCode.DONE


@command(
    "completion",
    examples=(
        ('eval "$(kassettui completion bash)"', "For this shell only."),
        *((line, f"For every {shell} from now on.") for shell, line in _INSTALL.items()),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Completion of commands and options for a shell.

    Prints the script that the shell has to read.
    """
    invocation = context.find_object(Invocation)
    assert invocation is not None
    # The class's own source() starts bash to look at its version; a script for later needs none.
    invocation.output.text(ShellComplete.source(_completer(context.find_root().command, shell, invocation)))
