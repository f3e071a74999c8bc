"""One page outside of a run: `fetch`, `shell` and `parse` ask for it the way a crawl would, and store nothing.

What belongs here: the session as the settings say, with a profile when one is named. What is done with the
page is each command's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawlkit.cli.asking import Asker
from crawlkit.cli.options import require_url
from crawlkit.cli.outputs import check_vault
from crawlkit.cli.secrecy import redactor
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider

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


def get(session: Session, url: str, headers: Mapping[str, str] | None = None) -> Response:
    """The page at `url`, redirects followed. UsageError for a URL without a scheme, RequestException."""
    return session.get(require_url(url), headers=dict(headers or {}))
