"""One page outside of a run: `fetch`, `shell`, `parse` and `check` ask for it the way a crawl would, and store nothing.

What belongs here: the session as the settings say, with a profile when one is named. What is done with the
page is each command's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crawlkit.cli.asking import Asker
from crawlkit.cli.chosen import Chosen
from crawlkit.cli.options import require_url
from crawlkit.cli.outputs import check_vault
from crawlkit.cli.secrecy import redactor
from crawlkit.cli.terminal import complain
from crawlkit.crawl.loading import place_of
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import CrawlkitError, SpiderError

if TYPE_CHECKING:
    from crawlkit.crawl.accounts import Accounts
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session


@contextmanager
def visiting(url: str, settings: Settings, *, profile: str | None, spider: Spider | None = None) -> Iterator[Accounts]:
    """The sessions to ask for `url` with; a named profile is saved when the block ends.

    UsageError when the URL has no scheme. Private addresses are open when the URL itself is private, as in a
    crawl.
    """
    require_url(url)
    from crawlkit.crawl.accounts import Accounts

    if profile is not None:
        check_vault(settings.vault)
    spider = spider if spider is not None else Spider()
    accounts = Accounts(
        spider, settings, vault=settings.vault, profile=profile, prompt=Asker.on_terminal(), redactor=redactor()
    )
    accounts.guard_addresses([url])
    spider.session, spider.credentials, spider.settings = accounts.session, accounts.credentials, settings
    try:
        yield accounts
    finally:
        accounts.close()


@contextmanager
def page_for(
    chosen: Chosen, url: str, callback: Callable[..., Any], *, profile: str | None, failed: str = "", **options: Any
) -> Iterator[Response]:
    """The page at `url` for a callback of a spider, logged in when the spider says that it has to be; an answer that is an
    error is told. `options` are those of its Request.

    What the author's code raises in the block becomes a SpiderError with its place, and `failed` behind it.
    """
    from crawlkit.sessions.request import Request

    spider = chosen.spider
    with visiting(url, chosen.settings, profile=profile or spider.profile or spider.name, spider=spider) as accounts:
        session = accounts.open(None, None).session
        response = session.send(session.prepare_request(Request(url, callback=callback, **options)))
        if response.status_code >= 400:
            complain(f"{response.url} answered {response.status_code} {response.reason or ''}".rstrip())
        try:
            yield response
        except CrawlkitError:
            raise
        except Exception as error:
            told = f"{callback.__name__}() failed on {response.url}: {type(error).__name__}: {error}{failed}"
            raise SpiderError(f"{place_of(error, chosen.source.path)}: {told}") from error


def get(session: Session, url: str, headers: Mapping[str, str] | None = None) -> Response:
    """The page at `url`, redirects followed. UsageError for a URL without a scheme, RequestException."""
    return session.get(require_url(url), headers=dict(headers or {}))
