"""The commands there are, and the border at which every error becomes one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.groups import CommandGroup
from crawlkit.cli.logs import plain_logging
from crawlkit.cli.secrecy import print_traceback, secrecy
from crawlkit.cli.streams import OutputFailed, watched_streams
from crawlkit.cli.terminal import complain
from crawlkit.exceptions import CrawlkitError
from crawlkit.version import VERSION

#: Command → (module, one line for the list of commands).
_COMMANDS = {
    "run": ("run", "Crawl with a spider, or with every spider of a folder."),
    "new": ("new", "Write a spider that runs, to start from."),
    "fetch": ("fetch", "Fetch one URL as a spider would and print the body."),
    "shell": ("shell", "Fetch one URL and look at it in a Python shell."),
    "login": ("login", "Try a spider's login, show what was seen, save the session."),
    "session": ("session", "List, show, import, export and encrypt saved sessions."),
    "parse": ("parse", "Show what a callback yields for one page; nothing is stored."),
    "check": ("check", "Run a spider's callbacks on saved pages, and save such pages."),
    "export": ("export", "Write a spider's items to a JSON Lines, JSON or CSV file."),
    "diff": ("diff", "Show which items are new, changed or gone since the run before."),
    "replay": ("replay", "Parse a run's kept pages again, offline, and show what changes."),
    "archive": ("archive", "Archive a site as a WACZ package, and look into one."),
    "report": ("report", "Write a page about a run: what it did, and against earlier runs."),
    "runs": ("runs", "List the runs of a spider, or check its database."),
    "schedule": ("schedule", "Let cron or systemd run the spiders of crawl.toml."),
}


@click.group(cls=CommandGroup, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="crawlkit %(version)s")
def commands() -> None:
    """crawlkit: crawling and scraping built on sessions.

    `crawlkit run spiders/site.py` crawls; the same command goes on where a run stopped.
    """


def invoke(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Nothing is raised, whatever happens."""
    with watched_streams() as outlet, secrecy(), plain_logging():
        try:
            code = _invoke(arguments)
            sys.stdout.flush()
        except OutputFailed:
            assert outlet is not None
        lost = outlet.error if outlet is not None else None
        if lost is None:
            return code
        if isinstance(lost, BrokenPipeError):  # its reader went away, as `head` does
            return exit_codes.BROKEN_PIPE
        complain(f"standard output cannot be written: {lost.strerror}")
        return exit_codes.STORAGE_FAILED


def _invoke(arguments: Sequence[str]) -> int:
    options = arguments[: list(arguments).index("--")] if "--" in arguments else arguments
    try:
        code = commands.main(args=list(arguments), prog_name="crawlkit", standalone_mode=False)
        return code if isinstance(code, int) else exit_codes.COMPLETE
    except OutputFailed:
        raise
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error), err=True)
        return exit_codes.USAGE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the border: every error is told here
        return _tell(error, debug="--debug" in options, as_json="--json" in options)


def _tell(error: BaseException, *, debug: bool, as_json: bool) -> int:
    """Print the error's line, with --json its object, with --debug its traceback; return the exit code."""
    code, outcome, message = describe(error)
    if debug:
        print_traceback(error)
    complain(message)
    if as_json:
        from crawlkit.cli.json_line import error_line, print_line

        print_line(error_line(message, outcome=outcome, exit_code=code))
    return code


def describe(error: BaseException) -> tuple[int, str, str]:
    """Exit code, outcome in one word, and the line that says what happened and what to do."""
    if isinstance(error, click.ClickException):
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "crawlkit"
        return exit_codes.USAGE, "usage_error", f"{error.format_message()} (see {where} --help)"
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return exit_codes.INTERRUPTED, "interrupted", "interrupted"
    code, outcome = exit_codes.of_error(error)
    if isinstance(error, CrawlkitError):
        return code, outcome, str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        return exit_codes.STORAGE_FAILED, "storage_failed", f"{error.filename}: {error.strerror}"
    name = type(error).__name__
    return code, outcome, f"internal error: {name}: {error}; --debug shows where, please report it"
