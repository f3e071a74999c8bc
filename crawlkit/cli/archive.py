"""`crawlkit archive`: a site as a package, and what can be asked of a package that is there.

What belongs here: the options, and which of its five uses is meant. What does not: the job of archiving (archive_job.py),
running it (execution.py), looking into archives (archive_reading.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crawlkit.archive.reach import SCOPES
from crawlkit.cli import alarm, exit_codes
from crawlkit.cli.archive_job import SiteOptions, job_of
from crawlkit.cli.execution import RunOptions, carry_out
from crawlkit.cli.json_line import print_line
from crawlkit.cli.options import database_option, debug_option, json_option, set_option
from crawlkit.cli.secrecy import learn_arguments
from crawlkit.crawl.loading import parse_arguments
from crawlkit.crawl.settings import Override, parse_override
from crawlkit.exceptions import UsageError

_FILE: Any = click.Path(path_type=Path)


@click.command("archive")
@click.argument("url", required=False)
@click.option("-o", "output", type=_FILE, metavar="FILE", help="Where to: a .wacz package, or one .warc.gz file.")
@click.option("--profile", metavar="NAME", help="The saved session to archive with, and to save to.")
@click.option("--login", metavar="SPIDER|URL", help="Log in as this spider file does, or by the form at this URL.")
@click.option(
    "-a", "arguments", multiple=True, metavar="KEY=VALUE", help="Set an attribute of that spider; repeatable."
)
@click.option("--scope", type=click.Choice(SCOPES), help="Which links belong to it; prefix: those in the URL's folder.")
@click.option("--include", multiple=True, metavar="PATTERN", help="URLs that belong to it as well; repeatable.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="URLs to leave out; repeatable.")
@click.option("--depth", type=click.IntRange(0), metavar="N", help="Links followed from the URL.")
@click.option("--max-pages", type=click.IntRange(1), metavar="N", help="So many pages, each with all that it needs.")
@click.option("--max-size", metavar="500MiB", help="End when the records are so large.")
@click.option("--max-time", metavar="30m", help="Stop after this time; the same command goes on.")
@click.option("--workers", metavar="N", help="Threads that fetch and parse.")
@click.option("--title", help="What the package is called.")
@click.option(
    "--keep-secrets", is_flag=True, help="Leave cookies, tokens and passwords in it: for your own vault only."
)
@click.option("--overwrite", is_flag=True, help="Replace an output that is there.")
@click.option("--fresh", is_flag=True, help="Begin anew: forget an unfinished archive, and what is unchanged.")
@click.option("--wait", is_flag=True, help="Wait for another run of this archive to end, in place of exit code 4.")
@click.option("--force-login", is_flag=True, help="Log in although too many logins failed within the last hour.")
@click.option("--dry-run", is_flag=True, help="Fetch the first page, show what would be next, store nothing.")
@click.option("--list", "list_", type=_FILE, metavar="FILE", help="List what the archive FILE has.")
@click.option("--verify", type=_FILE, metavar="FILE", help="Verify every byte of FILE.")
@click.option("--extract", nargs=2, metavar="URL FILE", help="Write the body of URL out of FILE, with -o into a file.")
@click.option("--finish", type=_FILE, metavar="FILE", help="Package what a run that did not end has left beside FILE.")
@database_option
@set_option
@json_option
@click.option("--quiet", is_flag=True, help="Only warnings and errors.")
@debug_option
def command(
    url: str | None,
    output: Path | None,
    list_: Path | None,
    verify: Path | None,
    extract: tuple[str, str] | None,
    finish: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Archive the site at URL: every page in scope and all that it needs, as a package that ReplayWeb.page and pywb open.

    Cookies, tokens and passwords are replaced. A run that was cut off goes on by the same command. Started again
    another day, with another output, unchanged pages refer to the archive before.

    \b
    Exit codes: as of crawlkit run; of --verify 74 for a damaged archive.
    """
    asked = [use for use in (url, list_, verify, extract, finish) if use is not None]
    if len(asked) != 1:
        raise UsageError(
            "crawlkit archive takes one of: a URL to archive, --list FILE, --verify FILE, --extract URL FILE, --finish FILE"
        )
    if url is not None:
        return _archive(url, output, as_json=as_json, **options)
    from crawlkit.cli import archive_reading

    if list_ is not None:
        return archive_reading.list_archive(list_, as_json=as_json)
    if verify is not None:
        return archive_reading.verify(verify, as_json=as_json)
    if extract is not None:
        return archive_reading.extract(extract[0], Path(extract[1]), output=output)
    assert finish is not None
    from crawlkit.cli.archive_finishing import finish_archive

    return finish_archive(
        finish,
        overwrite=options["overwrite"],
        as_json=as_json,
        assignments=options["assignments"],
        quiet=options["quiet"],
    )


def _archive(url: str, output: Path | None, *, as_json: bool, **options: Any) -> int:
    given = parse_arguments(options["arguments"])
    learn_arguments(given)
    site = SiteOptions(
        output=output,
        login_arguments=given,
        overrides=_overrides(options),
        **{name: options[name] for name in ("title", "scope", "include", "exclude", "depth", "max_pages", "login",
                                            "profile", "database", "overwrite")},
    )  # fmt: skip
    job = job_of(url, site)
    run = RunOptions(
        arguments=site.arguments(),
        overrides=site.overrides,
        as_json=as_json,
        **{name: options[name] for name in ("database", "profile", "fresh", "wait", "force_login", "dry_run", "quiet",
                                            "debug")},
    )  # fmt: skip
    try:
        line = carry_out(job, run)
    except (Exception, KeyboardInterrupt) as error:
        from crawlkit.cli.entry import describe
        from crawlkit.cli.json_line import error_line

        code, outcome, message = describe(error)
        told = error_line(message, outcome=outcome, exit_code=code, spider=job.spider.name)
        alarm.ring(job.settings.run.on_failure, job.settings.folder, told)
        raise
    if as_json:
        print_line(line)
    return int(line.get("exit_code", exit_codes.COMPLETE))


#: Option → the key that it sets.
_SHORTCUTS = {"workers": "crawl.workers", "max_time": "crawl.max_time", "max_size": "archive.max_size",
              "scope": "archive.scope"}  # fmt: skip


def _overrides(options: dict[str, Any]) -> list[Override]:
    overrides = [parse_override(text) for text in options["assignments"]]
    for name, key in _SHORTCUTS.items():
        value = options[name]
        if value is not None:
            parsed = int(value) if value.isdecimal() else value
            overrides.append(Override(key, parsed, f"--{name.replace('_', '-')}"))
    if options["keep_secrets"]:
        overrides.append(Override("archive.redact", False, "--keep-secrets"))
    return overrides
