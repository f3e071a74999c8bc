"""`crawlkit parse`: what a callback makes of one page, shown and not stored."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.chosen import choose
from crawlkit.cli.options import arguments_option, debug_option, profile_option, require_url, set_option
from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import DropItem, Verdict

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response


@click.command("parse")
@click.argument("path")
@click.argument("url")
@click.option("--callback", default="parse", metavar="NAME", help="The method to call, parse unless given.")
@arguments_option
@profile_option
@set_option
@debug_option
def command(
    path: str,
    url: str,
    callback: str,
    arguments: tuple[str, ...],
    profile: str | None,
    assignments: tuple[str, ...],
    debug: bool,
) -> int:
    """Fetch URL, call the spider of PATH back and show what it yields: an item a line as JSON, then its requests.

    Nothing is stored but the session of the profile, when the page needed a login.
    """
    require_url(url)
    chosen = choose(path, arguments, assignments)
    method = chosen.callback(callback)
    from crawlkit.cli.visiting import page_for

    with page_for(chosen, url, method, profile=profile) as response:
        return _show(chosen.spider, method, response)


def _show(spider: Spider, callback: Any, response: Response) -> int:
    """Print each output as it comes: items to standard output as JSON, requests and files after an arrow."""
    from crawlkit.crawl.items import Download
    from crawlkit.crawl.output import outputs
    from crawlkit.sessions.request import Request

    counts = {"item": 0, "request": 0, "file": 0, "dropped": 0}
    try:
        for value in outputs(callback(response)):
            if isinstance(value, Request):
                counts["request"] += 1
                print(f"-> {value.method} {safe(redact(value.url), one_line=True)}{_callback_name(value)}")
            elif isinstance(value, Download):
                counts["file"] += 1
                print(f"-> file {safe(str(value.path), one_line=True)} from {safe(redact(value.url), one_line=True)}")
            else:
                kind = _show_item(spider, value, response)
                counts[kind] += 1
    except Verdict as verdict:
        print(f"{type(verdict).__name__}: {safe(redact(verdict.reason), one_line=True)}", file=sys.stderr)
    sys.stdout.flush()
    told = (
        ", ".join(counted(count, word, word if word == "dropped" else None) for word, count in counts.items() if count)
        or "nothing"
    )
    print(f"{safe(redact(response.url), one_line=True)}: {told}", file=sys.stderr)
    return exit_codes.COMPLETE


def _show_item(spider: Spider, value: Any, response: Response) -> str:
    from crawlkit.crawl.items import is_item, row_of

    if is_item(value):
        try:
            value = spider.process_item(value, response)
        except DropItem:
            return "dropped"
    row = row_of(value, spider, response.url)
    values = {name: f"<{len(cell)} bytes>" if isinstance(cell, bytes) else cell for name, cell in row.values.items()}
    # JSON escapes C0 by itself; DEL, C1 and what turns text around are left to `safe`.
    print(safe(json.dumps({"table": row.table, **values}, ensure_ascii=False)))
    return "item"


def _callback_name(request: Any) -> str:
    name = request.callback if isinstance(request.callback, str) else getattr(request.callback, "__name__", None)
    return f" callback={name}" if name and name != "parse" else ""
