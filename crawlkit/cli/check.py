"""`crawlkit check`: a spider's saved pages against what its callbacks have to give; and making such cases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.chosen import choose
from crawlkit.cli.options import (
    arguments_option,
    debug_option,
    json_option,
    profile_option,
    require_url,
    set_option,
)
from crawlkit.cli.outputs import shown
from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import complain, counted, safe
from crawlkit.crawl.loading import find_spider, spider_files
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.testing.cases import Case, Outcome

_CASES = ".cases"


@click.command("check")
@click.argument("path")
@click.option("--save", "url", metavar="URL", help="Fetch URL, logged in where it must be, and save it as a case.")
@click.option("--callback", metavar="NAME", help="With --save: the method to call, parse unless given.")
@click.option("--cb-kwargs", metavar="JSON", help="With --save: further arguments of the callback, as a JSON object.")
@click.option("--meta", metavar="JSON", help="With --save: the meta of the request, as a JSON object.")
@click.option("--name", metavar="NAME", help="With --save: what to call the case; by its URL unless given.")
@click.option("--update", is_flag=True, help="Accept what the callbacks give now.")
@arguments_option
@profile_option
@set_option
@json_option
@debug_option
def command(
    path: str,
    url: str | None,
    callback: str | None,
    cb_kwargs: str | None,
    meta: str | None,
    name: str | None,
    update: bool,
    arguments: tuple[str, ...],
    profile: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
    debug: bool,
) -> int:
    """Run the callbacks of the spider in PATH on its saved pages, offline, and show where they give something else than
    they have to. PATH is a file, file.py::Class, a folder of spiders, or SPIDER.cases or one case in it.

    Cases are in SPIDER.cases beside the spider; pytest finds them too. Exit code 1 when one fails.
    """
    only_saving = {"--callback": callback, "--cb-kwargs": cb_kwargs, "--meta": meta, "--name": name}
    given = [option for option, value in only_saving.items() if value is not None]
    if url is None and (given or arguments or assignments or profile is not None):
        raise UsageError(f"{(*given, '-a, --profile and --set')[0]}: for a case that is made with --save URL")
    if url is None:
        outcomes = [case.run() for case in _cases(path)]
        for outcome in outcomes:
            if update and outcome.differences:
                outcome.case.accept(outcome.given)
        return _tell(outcomes, update=update, as_json=as_json)
    if update:
        raise UsageError("--update: goes without --save, whose case is new")
    options = {"cb_kwargs": _object("--cb-kwargs", cb_kwargs), "meta": _object("--meta", meta)}
    outcome = _save(path, url, callback or "parse", options, name, arguments, profile, assignments)
    counts = f"{counted(len(outcome.given.items), 'item')}, {counted(len(outcome.given.requests), 'request')}"
    where = shown(outcome.case.folder)
    if as_json:
        _print_json([outcome], exit_codes.COMPLETE)
    else:
        click.echo(f"saved {safe(where, one_line=True)}: {counts}")
    return exit_codes.COMPLETE


def _cases(path: str) -> list[Case]:
    """The cases that PATH means. UsageError when there are none."""
    from crawlkit.testing.cases import CASE, Case, find_cases

    folder = Path(path)
    if folder.suffix == _CASES and folder.is_dir():
        found = find_cases(folder.with_suffix(".py"))
    elif (folder / CASE).is_file():
        found = [Case.read(folder)]
    else:
        found = []
        for file in spider_files(path):
            spider, _, wanted = file.partition("::")
            if not Path(spider).is_file():
                find_spider(file)  # says what is wrong with it
            found += [case for case in find_cases(Path(spider)) if wanted in ("", case.spider)]
    if not found:
        raise UsageError(f"{path}: has no cases; make one: crawlkit check {path.partition('::')[0]} --save URL")
    return found


def _object(option: str, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{option}: is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{option}: write it as a JSON object, such as '{{\"page\": 2}}'")
    return value


def _tell(outcomes: Sequence[Outcome], *, update: bool, as_json: bool) -> int:
    failed = [outcome for outcome in outcomes if outcome.error is not None or not (update or outcome.passed)]
    code = exit_codes.PAGES_FAILED if failed else exit_codes.COMPLETE
    if as_json:
        _print_json(outcomes, code)
        return code
    for outcome in outcomes:
        word = "FAILED" if outcome in failed else "updated" if not outcome.passed else "ok"
        counts = f"{counted(len(outcome.given.items), 'item')}, {counted(len(outcome.given.requests), 'request')}"
        click.echo(f"{word:7} {safe(shown(outcome.case.folder), one_line=True)}  {outcome.case.callback}: {counts}")
        if not outcome.passed:
            for line in outcome.told().split("\n")[1:]:
                click.echo(f"        {safe(redact(line), one_line=True)}")
    if failed:
        hint = "; --update accepts what they give now" if any(outcome.differences for outcome in failed) else ""
        complain(f"{len(failed)} of {counted(len(outcomes), 'case')} failed{hint}")
    else:
        click.echo(f"{counted(len(outcomes), 'case')} passed")
    return code


def _print_json(outcomes: Sequence[Outcome], code: int) -> None:
    from crawlkit.cli.json_line import print_line

    print_line({"cases": [outcome.as_json() for outcome in outcomes], "exit_code": code})


def _save(
    path: str,
    url: str,
    callback: str,
    options: dict[str, Any],
    name: str | None,
    arguments: tuple[str, ...],
    profile: str | None,
    assignments: tuple[str, ...],
) -> Outcome:
    require_url(url)
    chosen = choose(path, arguments, assignments)
    method = chosen.callback(callback)
    from crawlkit.cli.visiting import page_for
    from crawlkit.testing.case_saving import save_case

    with page_for(chosen, url, method, profile=profile, failed="; no case was saved", **options) as response:
        return save_case(chosen.source, chosen.spider, response, chosen.arguments, name)
