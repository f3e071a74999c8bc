"""Crew: the parts of one run that work together, put together here.

    Links → Writer (frontier, group commit) → Scheduler → Workers (Visitor → Fetcher → Session) → Writer

What belongs here: what is built of which settings, and in which order. What does not: starting and ending (engine.py),
what a part does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crawlkit import url as urls
from crawlkit.crawl.accounts import Accounts
from crawlkit.crawl.blame import Blame
from crawlkit.crawl.canary import Canary
from crawlkit.crawl.clock import Clock
from crawlkit.crawl.fetcher import Fetcher
from crawlkit.crawl.guard import Guard
from crawlkit.crawl.links import Links
from crawlkit.crawl.pace import pace_of
from crawlkit.crawl.page import Visitor
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.robots import Robots
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.scope import Scope
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.shelf import StoreShelf
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.crawl.tally import Tally
from crawlkit.crawl.unchanged import Unchanged, habits_of
from crawlkit.crawl.visit import Visit
from crawlkit.crawl.volatile import Volatile
from crawlkit.crawl.worker import Worker
from crawlkit.crawl.writer import Writer
from crawlkit.exceptions import LoginError, StorageError
from crawlkit.html.document import Limits
from crawlkit.sessions.retry import RetryPolicy
from crawlkit.store.database import Store
from crawlkit.store.outcome import Verdict
from crawlkit.store.runs import Run


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on a run. None of the threads is started yet when it is made."""

    writer: Writer
    scheduler: Scheduler
    links: Links
    workers: list[Worker]
    canary: Canary | None


def assemble(
    spider: Spider,
    settings: Settings,
    *,
    store: Store,
    run: Run,
    accounts: Accounts,
    guard: Guard,
    profile: str,
    source_hash: str | None,
    arguments: str,
    tally: Tally,
    clock: Clock,
    redact: Callable[[str], str],
    committed: Callable[[Visit, Verdict], None],
    login_failed: Callable[[LoginError], None],
    storage_failed: Callable[[StorageError], None],
    rehearsal: Rehearsal | None = None,
    recorder: Recorder | None = None,
) -> Crew:
    """The crew of `run`. `committed` is called in the writer's thread after each commit, `login_failed` and
    `storage_failed` by a worker.
    """
    writer = Writer(
        store,
        run=run.id,
        tally=tally,
        clock=clock,
        before_commit=accounts.save,
        committed=committed,
        redact=redact,
        recorder=recorder,
    )
    scheduler = Scheduler(
        clock, lambda netloc: pace_of(netloc, settings.crawl), writer.want, accounts.pool.set_host_limit
    )
    writer.scheduler = scheduler
    accounts.pause, accounts.resume = scheduler.pause, scheduler.resume
    if settings.crawl.max_pages is not None:
        scheduler.limit_pages(settings.crawl.max_pages)
    if settings.crawl.max_time is not None:
        scheduler.limit_wait(settings.crawl.max_time)
    scope = Scope(spider.allowed_domains, spider.in_scope if overrides(spider, "in_scope") else None)
    if run.resumed:
        for url in store.redirected_starts():  # their hosts joined before the interruption
            scope.join(urls.origin(url))
    links = Links(
        spider,
        scope,
        max_depth=settings.crawl.max_depth,
        max_segments=settings.crawl.max_segments,
        profile=profile,
        userinfo=accounts.userinfo,
        guard=guard,
    )
    if rehearsal is not None:
        links.instead, rehearsal.scope = rehearsal.found, scope
    robots = None
    if settings.crawl.robots:
        robots = Robots(accounts.fetch_robots, StoreShelf(writer), clock, user_agent=settings.fetch.user_agent)
    visitor = Visitor(
        spider,
        fetcher=Fetcher(
            accounts.open,
            trusted=accounts.trusted,
            userinfo=accounts.userinfo,
            profile=profile,
            scope=scope,
            scheduler=scheduler,
            robots=robots,
            limits=Limits(max_bytes=settings.crawl.max_html, max_depth=settings.crawl.max_dom_depth),
            guard=guard,
            wants_body=spider.wants_body if overrides(spider, "wants_body") else None,
            recorded=recorder is not None,
            open_stranger=accounts.stranger,
        ),
        links=links,
        scheduler=scheduler,
        policy=RetryPolicy(settings.fetch.retries, statuses=frozenset(settings.fetch.retry_statuses)),
        clock=clock,
        handle_status=frozenset((*settings.crawl.handle_status, *spider.handle_status, *spider.handle_httpstatus_list)),
        files=settings.folder,
        dry=rehearsal is not None,
        recorder=recorder,
        unchanged=Unchanged(
            habits_of(spider, settings, profile=profile, source_hash=source_hash, arguments=arguments),
            Volatile(settings.crawl.ignore),
            clock=clock,
            bodies=store.bodies,
            exchanges=accounts.pool.exchanges_here,
            recorded=recorder is not None,
        ),
        blame=Blame(
            profile,
            guard,
            store.keepsakes.blamed(),
            keep=lambda *found: writer.call(lambda store: store.keepsakes.blame(*found)),
            forget=lambda *freed: writer.call(lambda store: store.keepsakes.absolve(*freed)),
        ),
    )
    canary = None
    membership = accounts.session.membership
    if settings.login.canary is not None and membership is not None:
        canary = visitor.canary = Canary(
            membership,
            accounts.session,
            settings.login.canary,
            every=settings.login.canary_every,
            in_writer=lambda work: writer.call(lambda _: work()),
            take_up_again=writer.take_up_again,
        )
    workers = [
        Worker(
            number,
            scheduler=scheduler,
            visitor=visitor,
            pool=accounts.pool,
            submit=writer.submit,
            login_failed=login_failed,
            storage_failed=storage_failed,
        )
        for number in range(1, settings.crawl.workers + 1)
    ]
    return Crew(writer, scheduler, links, workers, canary)
