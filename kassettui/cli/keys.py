"""`keys`: what can be done on the screen, and with which keys."""

from __future__ import annotations

from typing import Final

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column

_COLUMNS: Final = (
    Column("name", "action"),
    Column("label", "keys"),
    Column("where", "where"),
    Column("group", "group", rank=2),
    Column("help", "what it does", shrinks=True, rank=1),
)


@command(
    "keys",
    examples=(
        ("kassettui keys", "All of them, as your settings have them."),
        ("kassettui config show", "Section [keys] is where you give an action other keys."),
    ),
)
@pass_invocation
def keys(invocation: Invocation) -> None:
    """What can be done on the screen, and with which keys.

    `screen.keymap` in the settings chooses the keys to start from: default, mc or plain. Section [keys] gives
    an action others: `rate_3 = "3"`, or a list of keys.
    """
    rows = invocation.screen.keys(invocation.settings)
    if invocation.flags.json:
        invocation.output.json_list("keys", rows)
    else:
        invocation.output.table(_COLUMNS, rows)
