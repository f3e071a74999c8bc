"""`crawlkit fetch`: one URL, its body to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import debug_option, parse_headers, profile_option, require_url, set_option
from crawlkit.cli.terminal import complain, is_terminal, safe
from crawlkit.crawl.settings import parse_override, resolve_settings
from crawlkit.crawl.settings_file import find_config

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response


@click.command("fetch")
@click.argument("url")
@click.option("--headers", "show_headers", is_flag=True, help="Show the heads of requests and responses first.")
@click.option("--ignored", is_flag=True, help="Show what of the page is no change, in place of its body.")
@click.option("-H", "headers", multiple=True, metavar="NAME: VALUE", help="Send this header; repeatable.")
@profile_option
@set_option
@debug_option
def command(
    url: str,
    show_headers: bool,
    ignored: bool,
    headers: tuple[str, ...],
    profile: str | None,
    assignments: tuple[str, ...],
    debug: bool,
) -> int:
    """Fetch URL with the settings of crawl.toml and write its body to standard output.

    Exit code 1 when the server answers 400 or more, or not at all.
    """
    require_url(url)
    sent = parse_headers(headers)
    settings = resolve_settings(find_config(Path.cwd()), overrides=[parse_override(text) for text in assignments])
    from crawlkit.cli.heads import heads
    from crawlkit.cli.visiting import get, visiting

    with visiting(url, settings, profile=profile) as accounts:
        response = get(accounts.session, url, sent)
        if show_headers:
            for line in heads(response):
                click.echo(line)
        if ignored:
            _show_ignored(response, settings.crawl.ignore)
        else:
            _write_body(response.content)
    if response.status_code >= 400:
        complain(f"{response.url} answered {response.status_code} {response.reason or ''}".rstrip())
        return exit_codes.PAGES_FAILED
    return exit_codes.COMPLETE


def _write_body(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    if is_terminal(sys.stdout) and content[-1:] not in (b"\n", b""):
        sys.stdout.buffer.write(b"\n")  # for the prompt; a file or a pipe gets the body as it is
    sys.stdout.buffer.flush()


def _show_ignored(response: Response, ignore: Sequence[str]) -> None:
    """A line for each passage that counts for nothing when a run compares the page with its last version."""
    from crawlkit.crawl.volatile import Volatile

    body = response.content
    for passage in Volatile(ignore).passages(body, response.headers.get("Content-Type")):
        text = body[passage.start : passage.end].decode("utf-8", "replace")
        click.echo(f"{passage.rule:<10} {safe(text, one_line=True)}")
