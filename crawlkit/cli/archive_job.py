"""The archive of a site as a job: from a URL and options to a spider with its settings, its login and its recorder.

What belongs here: what the options of `crawlkit archive` mean, names that follow from a URL. What does not: the options
themselves (archive.py), the spider (archive/site.py), running it (execution.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crawlkit import url as urls
from crawlkit.archive.naming import harmless
from crawlkit.archive.reach import Reach
from crawlkit.archive.site import Site
from crawlkit.archive.sitecontents import SCOPE, site_contents
from crawlkit.cli.archiving import recorder_of
from crawlkit.cli.job import Job
from crawlkit.cli.options import require_url
from crawlkit.cli.outputs import taken_files
from crawlkit.crawl.loading import RESERVED_NAMES, find_spider, make_spider
from crawlkit.crawl.requisite import REQUISITE
from crawlkit.crawl.settings import Override, resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import StorageError, StoreMismatch, UsageError

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What `crawlkit archive URL` was told. `login`: a spider file, file.py::Class, or the URL of a page with a form;
    `login_arguments`: attributes of that spider.
    """

    output: Path | None = None
    title: str | None = None
    scope: str | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    depth: int | None = None
    max_pages: int | None = None
    login: str | None = None
    login_arguments: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    database: Path | None = None
    overwrite: bool = False
    overrides: Sequence[Override] = field(default=())

    def arguments(self) -> dict[str, str]:
        """By which one run of an archive is known to be of another one's kind."""
        given = {"scope": self.scope, "include": list(self.include), "exclude": list(self.exclude), "depth": self.depth,
                 "max_pages": self.max_pages}  # fmt: skip
        return {name: str(value) for name, value in given.items() if value not in (None, [])}


def job_of(url: str, options: SiteOptions) -> Job:
    """The job of archiving the site at `url`. UsageError (SpiderError, ConfigError) for what cannot be. Writes nothing."""
    start = urls.canonical(require_url(url)) or url
    name = name_of(start)
    member, file = _member(options.login, options.login_arguments)
    config = find_config(file.resolve().parent if file is not None else Path.cwd())
    settings = resolve_settings(
        config,
        spider=member.name if member is not None and file is not None else name,
        custom=member.custom_settings if member is not None else None,
        overrides=options.overrides,
    )
    scope = options.scope or settings.archive.scope
    reach = Reach(start, scope, include=options.include, exclude=options.exclude)
    database = options.database or settings.database(name)
    profile = options.profile or (member.profile or member.name if member is not None and file is not None else name)
    if member is None and options.profile is not None:  # who names one is a member: strangers' pages are no pages
        member = _kept()
    depth = options.depth if options.depth is not None else settings.crawl.max_depth
    site = Site(start, reach, name=name, depth=depth, max_pages=options.max_pages, member=member)
    site.profile = profile
    _recall(database, site)
    recorder = recorder_of(
        site,
        settings,
        output=options.output,
        taken=taken_files(database=database, vault=settings.vault, spider=file, config=config.path),
        profile=profile,
        overwrite=options.overwrite,
        contents=site_contents(site, title=options.title),
        note={SCOPE: reach.described()},
    )
    source = f"crawlkit archive::{urls.split_userinfo(start)[0]}"
    return Job(site, settings, database, file or Path("crawlkit archive"), config.path, source, recorder, ledger=True)


def name_of(start: str) -> str:
    """The name under which the archive of a canonical URL is kept: `docs.example.org`, `docs.example.org-guide-5b9c66b5`;
    another URL has another. No token is in it, for the name is told in the package.
    """
    place, _, path = urls.split_userinfo(start)[0].partition("://")[2].partition("/")
    plain = f"{place}/{path}".rstrip("/")
    slug = re.sub(r"[^a-z0-9._]+", "-", harmless(start).lower()).strip("-._")
    if slug != plain or len(slug) > _LONGEST_NAME or slug in RESERVED_NAMES:
        digest = hashlib.blake2b(plain.encode(), digest_size=4).hexdigest()
        slug = f"{slug[:_LONGEST_NAME].rstrip('-._')}-{digest}"
    return slug


def _member(login: str | None, arguments: Mapping[str, str]) -> tuple[Spider | None, Path | None]:
    """The spider whose login is used, and its file."""
    if arguments and (login is None or urls.has_scheme(login)):
        raise UsageError("-a sets attributes of the spider that --login names; there is none")
    if login is None:
        return None, None
    if urls.has_scheme(login):
        from crawlkit.sessions.formlogin import FormLogin

        member = Spider(name="form")
        member.login = FormLogin(login)  # type: ignore[assignment, method-assign] # a spider may have either
        return member, None
    source = find_spider(login)
    member = make_spider(source, arguments)
    if not (overrides(member, "login") or overrides(member, "logged_in")):
        raise UsageError(f"--login {login}: {type(member).__name__} has no login() and no logged_in()")
    return member, source.path


def _kept() -> Spider:
    from crawlkit.sessions.keptlogin import KeptLogin

    member = Spider(name="kept")
    member.login = KeptLogin()  # type: ignore[assignment, method-assign] # a spider may have either
    return member


def _recall(database: Path, site: Site) -> None:
    """Tell the spider what it would have learnt by now, had it not ended and begun again: where its start leads, and which
    pages an unfinished crawl has come to.
    """
    from crawlkit.store.database import Store

    if not database.exists():
        return
    try:
        with Store.open_readonly(database) as reports:
            for ended in reports.ended_starts():
                site.reach.join(ended)
            last = reports.runs(1)
            if site.max_pages is not None and last and not last[0].finished:
                site.recall(page.url for page in reports.census(last[0].crawl) if REQUISITE not in page.meta)
    except (StorageError, StoreMismatch):
        return  # the run itself says what is wrong with it
