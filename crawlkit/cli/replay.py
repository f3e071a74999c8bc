"""`crawlkit replay`: the kept pages of a run parsed once more, offline, and what that changes of the items."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import arguments_option, database_option, debug_option, json_option, set_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.reading import find_database, name_and_runs
from crawlkit.cli.secrecy import learn_arguments, redact
from crawlkit.cli.terminal import complain, counted, safe
from crawlkit.crawl.loading import SpiderSource, find_spider, make_spider, parse_arguments, settings_of
from crawlkit.crawl.quantities import duration_text
from crawlkit.crawl.settings import Override, parse_override
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.replay import Replay, Replayed

_SHOWN = 200  # lines of the table, unless -n says otherwise
_EXAMPLES = 3  # pages of each reason that are named


@click.command("replay")
@click.argument("words", nargs=-1, metavar="[NAME] [RUN]")
@click.option("--spider", "path", metavar="PATH", help="Parse with this spider: an edited file, or file.py::Class.")
@database_option
@arguments_option
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Threads that parse.")
@click.option("-n", "limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="Lines of the table.")
@set_option
@json_option
@debug_option
def command(
    words: tuple[str, ...],
    path: str | None,
    database: Path | None,
    arguments: tuple[str, ...],
    workers: int | None,
    limit: int,
    assignments: tuple[str, ...],
    as_json: bool,
    debug: bool,
) -> int:
    """Parse the kept pages of RUN, or of the last run, of the spider NAME again, offline, and show which items that would
    add, change or take away. With --spider by an edited spider. Nothing is fetched, and nothing is written.

    The bodies have to be there: [store] bodies = true. Exit code 1 when a page cannot be parsed.
    """
    name, runs = name_and_runs(words, database, most=1)
    file = find_database(name, database)
    given = parse_arguments(arguments)
    learn_arguments(given)
    from crawlkit.crawl.replay import Replay

    with Replay(file, runs[0] if runs else None) as replay:
        source = find_spider(path) if path is not None else _own_spider(replay, file)
        spider = make_spider(source, given)
        if spider.name != replay.spider:
            raise UsageError(f"{source.path}: is the spider {spider.name!r}; {shown(file)} is of {replay.spider!r}")
        overrides = [parse_override(text) for text in assignments]
        overrides.append(Override("login.env_file", "none", "replay"))  # nobody logs in
        if workers is not None:
            overrides.append(Override("crawl.workers", workers, "--workers"))
        settings = settings_of(source, spider, overrides)
        _mention_arguments(replay, given)
        found = replay.parse(spider, settings)
    code = exit_codes.PAGES_FAILED if found.failures else exit_codes.COMPLETE
    if as_json:
        from crawlkit.cli.json_line import print_line

        print_line(_described(found, spider.name, file, code))
    else:
        _print(found, spider.name, limit, debug=debug)
    return code


def _own_spider(replay: Replay, database: Path) -> SpiderSource:
    """The spider that made the database. UsageError when it is not where it was."""
    file, separator, name = replay.source.partition("::")
    path = Path(os.path.relpath(os.path.normpath(database.parent.resolve() / file)))
    if not path.is_file():
        raise UsageError(f"{path}: the spider of {shown(database)} is not there any more; name it with --spider")
    return find_spider(f"{path}{separator}{name}")


def _mention_arguments(replay: Replay, given: dict[str, str]) -> None:
    """Say which arguments the run had: their values are not kept."""
    had = json.loads(replay.arguments or "{}").get("names", [])
    missing = [name for name in had if name not in given]
    if missing:
        names = safe(", ".join(f"-a {name}" for name in missing), one_line=True)
        click.echo(f"run {replay.run} was given {names}: give it here too when a callback uses it", err=True)


def _described(found: Replayed, spider: str, database: Path, code: int) -> dict[str, Any]:
    from crawlkit.cli.diff import entry_of

    changes = found.changes
    return {
        "spider": spider,
        "database": str(database),
        "run": found.run,
        "pages": found.pages,
        "failed": len(found.failures),
        "ignored": found.ignored,
        "missing": found.missing,
        "items": found.items,
        "added": [entry_of(change) for change in changes.added],
        "changed": [entry_of(change) for change in changes.changed],
        "gone": [entry_of(change) for change in changes.gone],
        "failures": [
            {"url": each.url, "callback": each.callback, "reason": each.reason, "text": each.text}
            for each in found.failures
        ],
        "elapsed": round(found.elapsed, 3),
        "exit_code": code,
    }


def _print(found: Replayed, spider: str, limit: int, *, debug: bool) -> None:
    from crawlkit.cli.diff import print_changes

    changes = found.changes
    pages = f"{counted(found.pages, 'page')} of run {found.run} parsed again in {duration_text(found.elapsed)}"
    if changes:
        counts = f"{counted(len(changes.added), 'item')} new, {len(changes.changed)} changed, {len(changes.gone)} gone"
    else:
        counts = f"{counted(found.items, 'item')}, all as they are"
    click.echo(f"{safe(spider, one_line=True)}: {pages}: {counts}")
    print_changes(changes, limit)
    left = ((found.missing, "not kept"), (found.ignored, "ignored by the callback"))
    for count, what in left:
        if count:
            click.echo(f"{counted(count, 'page')} {what}: their items stay as they are", err=True)
    reasons = Counter((each.callback, each.reason) for each in found.failures)
    for (callback, reason), count in reasons.most_common():
        pages = counted(count, "page")
        complain(f"{pages} failed ({reason}{f' in {callback}()' if callback else ''}); their items stay as they are")
        same = [each for each in found.failures if (each.callback, each.reason) == (callback, reason)]
        for each in same[:_EXAMPLES]:
            line = each.text if each.text.startswith(each.url) else f"{each.url}: {each.text}"
            click.echo(f"  {safe(redact(line), one_line=True)}", err=True)
            if debug and each.trace:
                sys.stderr.write(redact(each.trace))
