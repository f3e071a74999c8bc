"""`crawlkit shell`: a page in a Python shell, for trying selectors."""

from __future__ import annotations

import code
import linecache
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.chosen import choose
from crawlkit.cli.options import debug_option, profile_option, require_url, set_option
from crawlkit.cli.secrecy import print_traceback, redact
from crawlkit.cli.streams import OutputFailed
from crawlkit.cli.terminal import is_terminal, safe
from crawlkit.crawl.settings import parse_override, resolve_settings
from crawlkit.crawl.settings_file import find_config

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session


#: How tracebacks name the code of -c.
_LINE = "<-c>"


@click.command("shell")
@click.argument("url")
@profile_option
@click.option("--spider", "spider_path", metavar="PATH", help="Have this spider at hand, with its profile.")
@click.option("-c", "line", metavar="CODE", help="Run this code and end, without a shell.")
@set_option
@debug_option
def command(
    url: str,
    profile: str | None,
    spider_path: str | None,
    line: str | None,
    assignments: tuple[str, ...],
    debug: bool,
) -> int:
    """Fetch URL and open a Python shell with `response`, `session` and `fetch(url)`.

    fetch() takes another URL and makes its page the new `response`. IPython is used where it is installed.
    """
    require_url(url)
    chosen = choose(spider_path, (), assignments) if spider_path else None
    spider = chosen.spider if chosen is not None else None
    if chosen is not None:
        settings = chosen.settings
    else:
        settings = resolve_settings(find_config(Path.cwd()), overrides=[parse_override(text) for text in assignments])
    if profile is None and spider is not None:
        profile = spider.profile or spider.name
    from crawlkit.cli.visiting import visiting

    with visiting(url, settings, profile=profile, spider=spider) as accounts:
        names = _names(accounts.session)
        names["fetch"](url)
        if spider is not None:
            names["spider"] = spider
        if line is not None:
            return _run_line(line, names)
        _interact(names)
    return exit_codes.COMPLETE


def _run_line(line: str, names: dict[str, Any]) -> int:
    """Run the user's own code: what it raises is shown as Python shows it, and is exit code 1."""
    linecache.cache[_LINE] = (len(line), None, line.splitlines(keepends=True), _LINE)  # for the traceback
    try:
        exec(compile(line, _LINE, "exec"), names)
    except OutputFailed:
        raise
    except Exception as error:  # noqa: BLE001 - shown whole: it is the user's own
        trace = error.__traceback__
        sys.stdout.flush()
        print_traceback(error.with_traceback(trace.tb_next if trace is not None else None))
        return exit_codes.PAGES_FAILED
    return exit_codes.COMPLETE


def _names(session: Session) -> dict[str, Any]:
    """What the shell starts with; `fetch` puts each new page in the same place."""
    from crawlkit import Request, Selector
    from crawlkit.cli.visiting import get

    names: dict[str, Any] = {"session": session, "Request": Request, "Selector": Selector}

    def fetch(url: str) -> Response:
        """Fetch `url`, as on the page that is shown, with the session; its page is also the new `response`."""
        if "response" in names and isinstance(url, str):
            url = names["response"].urljoin(url)
        response = get(session, url)
        names["response"] = response
        return response

    names["fetch"] = fetch
    return names


def _interact(names: dict[str, Any]) -> None:
    response = names["response"]
    banner = (
        f"{safe(redact(f'{response} {response.url}'), one_line=True)}\n"
        'response  the page: response.css("h1::text").get()\n'
        "session   what fetched it\n"
        "fetch(url)  another page, as the new response"
    )
    if find_spec("IPython") is not None and is_terminal(sys.stdin):
        print(banner)
        import_module("IPython").start_ipython(argv=[], user_ns=names)
        return
    if is_terminal(sys.stdin):
        _complete(names)
    code.interact(banner=banner, local=names, exitmsg="")


def _complete(names: dict[str, Any]) -> None:
    """Completion with Tab and the arrow keys, where Python was built with readline."""
    if find_spec("readline") is None:
        return
    import readline
    import rlcompleter

    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
