"""`crawlkit login`: sets a spider's login up and tries it: logs in once, shows what came of it, saves the session."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.asking import Asker
from crawlkit.cli.chosen import choose
from crawlkit.cli.loginreport import LoginReport, show
from crawlkit.cli.logs import logging_to
from crawlkit.cli.options import arguments_option, debug_option, json_option, profile_option, set_option
from crawlkit.cli.outputs import check_vault
from crawlkit.cli.profiles import check_profile
from crawlkit.cli.secrecy import print_traceback, redactor
from crawlkit.cli.terminal import complain, console, is_terminal
from crawlkit.crawl.loading import SpiderSource, check_start_urls, place_of
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import ConfigError, CrawlkitError, LoginError, RequestException, SpiderError, UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.accounts import Accounts
    from crawlkit.crawl.trial import Look, Trial


@click.command("login")
@click.argument("path")
@arguments_option
@profile_option
@click.option("--check", is_flag=True, help="Only say whether the saved session still works; log nobody in.")
@click.option("--force-login", is_flag=True, help="Log in although too many logins failed within the last hour.")
@set_option
@json_option
@debug_option
def command(
    path: str,
    arguments: tuple[str, ...],
    profile: str | None,
    check: bool,
    force_login: bool,
    assignments: tuple[str, ...],
    as_json: bool,
    debug: bool,
) -> int:
    """Log in as the spider in PATH does, show what was seen, and save the session for `crawlkit run`.

    User name and password are those that crawl.toml names for the profile; what is not set is asked for on a terminal.
    A saved session that still works is left as it is. Cookies are shown by name, never with their values.

    \b
    Exit codes: 0 logged in, 2 usage or configuration, 3 not logged in.
    """
    chosen = choose(path, arguments, assignments)
    source, spider, settings = chosen.source, chosen.spider, chosen.settings
    _check_spider(spider, source, check=check)
    check_vault(settings.vault)
    if profile is not None:
        check_profile(profile, settings)
    report = LoginReport(
        spider.name,
        profile or spider.profile or spider.name,
        vault=settings.vault,
        most_failed=settings.login.max_failed_per_hour,
        path=path,
        options=[*(f"--profile={profile}" for _ in [0] if profile), *(f"-a={pair}" for pair in arguments)],
    )
    with (
        logging_to(console=console() if is_terminal() else None, level=logging.DEBUG if debug else logging.WARNING),
        _accounts(spider, settings, report.profile, force_login=force_login) as accounts,
    ):
        try:
            _try(accounts, source, spider, settings, report, check=check)
        except LoginError as error:
            if debug:
                print_traceback(error)
            report.outcome, report.error = "login_failed", _placed(error, source)
    show(report, as_json=as_json)
    if report.error is not None:
        complain(report.error)
        return exit_codes.LOGIN_FAILED
    return exit_codes.COMPLETE


# --- before anything is sent ----------------------------------------


def _check_spider(spider: Spider, source: SpiderSource, *, check: bool) -> None:
    """SpiderError when there is nothing to try."""
    check_start_urls(spider, str(source.path))
    if overrides(spider, "login") or (check and overrides(spider, "logged_in")):
        return
    raise SpiderError(
        f"{source.path}: {type(spider).__name__} has no login: give it one, such as login = FormLogin(URL of the login "
        "page), or a method login(self, session); docs/login.md shows both"
    )


# --- the trial ----------------------------------------


@contextmanager
def _accounts(spider: Spider, settings: Settings, profile: str, *, force_login: bool) -> Iterator[Accounts]:
    """The sessions, as a crawl opens them. After a mistake in spider or configuration nothing is saved."""
    from crawlkit.crawl.accounts import Accounts

    accounts = Accounts(
        spider,
        settings,
        vault=settings.vault,
        profile=profile,
        prompt=Asker.on_terminal(),
        force_login=force_login,
        redactor=redactor(),
    )
    spider.session, spider.credentials, spider.settings = accounts.session, accounts.credentials, settings
    try:
        yield accounts
    except UsageError:
        accounts.session.forget_changes()
        accounts.pool.close()
        raise
    accounts.close()


def _try(
    accounts: Accounts, source: SpiderSource, spider: Spider, settings: Settings, report: LoginReport, *, check: bool
) -> None:
    """Look, log in, look again: what is seen goes into `report`. LoginError when in the end nobody is logged in."""
    from crawlkit.crawl.trial import Trial, Verdict

    membership = accounts.session.membership
    assert membership is not None  # the spider has a login, or a word on who is logged in
    trial = Trial(accounts.session, membership, _page(accounts, spider, settings))
    report.trial = trial
    try:
        if membership.saved or len(accounts.session.cookies):
            report.look = _look(trial, source)
        if check:
            _judge_saved(report, source)
            return
        if report.look is not None and report.look.verdict is Verdict.MEMBER:
            return
        report.look = None
        if _log_in(trial, source):
            report.outcome = "logged_in"
        report.look = _look(trial, source)
        trial.judge(report.look)
    finally:
        report.count_failures(accounts.session.profile)
        membership.let_go()


def _page(accounts: Accounts, spider: Spider, settings: Settings) -> str:
    """The page that is looked at: the canary, or where the crawl starts. Private addresses are as open as in a crawl."""
    from crawlkit.crawl.starts import Starts

    first = Starts(spider).first_urls
    canary = settings.login.canary
    accounts.guard_addresses({*spider.start_urls, *spider.sitemap_urls, *first, *([canary] if canary else [])})
    pages = [*([canary] if canary else []), *spider.start_urls, *first]
    if not pages:
        raise SpiderError(f"{spider!r} does not want to start now: there is no page to look at; set [login] canary")
    return pages[0]


def _look(trial: Trial, source: SpiderSource) -> Look:
    try:
        return trial.look()
    except RequestException as error:
        raise LoginError(f"whether anybody is logged in cannot be seen: {error}") from error
    except CrawlkitError:
        raise
    except Exception as error:
        raise _author_failed(error, source) from error


def _log_in(trial: Trial, source: SpiderSource) -> bool:
    try:
        return trial.log_in()
    except CrawlkitError:
        raise
    except Exception as error:
        raise _author_failed(error, source) from error


def _author_failed(error: Exception, source: SpiderSource) -> SpiderError:
    """What the author's `logged_in` raised, with its place. What login() raises is a LoginError by now."""
    return SpiderError(f"{place_of(error, source.path)}: logged_in() failed: {type(error).__name__}: {error}")


def _judge_saved(report: LoginReport, source: SpiderSource) -> None:
    """--check: raise when the saved session does not work, or nobody can say."""
    from crawlkit.crawl.trial import Verdict

    look, then = report.look, f"log in with: crawlkit login {source.path}"
    if look is None:
        raise LoginError(f"profile {report.profile!r} has no saved session; {then}")
    if look.verdict is Verdict.STRANGER:
        raise LoginError(f"the saved session of profile {report.profile!r} has ended: {look.url} {look.why}; {then}")
    if look.verdict is Verdict.UNKNOWN:
        raise ConfigError(
            f"whether profile {report.profile!r} is logged in cannot be seen on {look.url}: {look.why}; define "
            "logged_in(), or set [login] canary to a page that only a member sees"
        )


def _placed(error: LoginError, source: SpiderSource) -> str:
    """The error's line; after the line of the spider file, when it was the author's code that failed."""
    cause = error.__cause__
    if cause is None or isinstance(cause, CrawlkitError):
        return str(error)
    return f"{place_of(cause, source.path)}: {error}"
