"""CommandGroup: a group of commands that are imported when they are called.

`crawlkit runs` must not pay for what `crawlkit run` needs. What belongs here: finding a command by its name.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class CommandGroup(click.Group):
    """Loads a command when it is called and names the nearest one for a typing error.

    `table`: name → (module of crawlkit.cli, one line for the list of commands). The command is the module's `command`,
    or what follows a colon: "session:forget".
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            near = difflib.get_close_matches(cmd_name, self._table, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self._table)}"
            raise click.UsageError(f"no command {cmd_name!r}; {hint}", ctx)
        module, _, name = self._table[cmd_name][0].partition(":")
        command = getattr(import_module(f"crawlkit.cli.{module}"), name or "command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])
