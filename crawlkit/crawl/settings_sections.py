"""The sections of crawl.toml: each key, its default, kind and what it is for. Merging layers is in settings.

A value of None means "auto" or "none", whichever the key's kind says. Durations are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawlkit.crawl.expect import EXPECT
from crawlkit.crawl.settings_kinds import (
    ADDRESS,
    COMMAND,
    DURATION,
    FLAG,
    HEADERS,
    PATTERNS,
    POSITIVE_DURATION,
    PROXIES,
    REGEXES,
    SCHEDULE,
    SIZE,
    STATUSES,
    TEXT,
    VARIABLE,
    VARIABLES,
    VERIFY,
    choice,
    key,
    optional,
    whole,
)
from crawlkit.version import HOMEPAGE, VERSION

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSettings:
    """`[crawl]`: how far and how fast."""

    workers: int = key(16, whole(1, 1000), "threads that fetch, parse and call the spider")
    per_host: int | None = key(None, optional(whole(1, 1000), "auto"), "connections to one host; auto is 2, loopback 8")
    delay: float | None = key(
        None, optional(DURATION, "auto"), "pause between two requests to one host; auto is 0.25 s, loopback 0"
    )
    adaptive: bool = key(True, FLAG, "slow down for 429, 503 and rising latency")
    robots: bool = key(True, FLAG, "obey robots.txt")
    max_depth: int | None = key(None, optional(whole(0), "none"), "links followed from a start page")
    max_pages: int | None = key(None, optional(whole(1), "none"), "pages of one run; it stays resumable")
    max_time: float | None = key(None, optional(POSITIVE_DURATION, "none"), "length of one run; it stays resumable")
    guard: bool = key(True, FLAG, "never follow links that log out or destroy")
    guard_allow: tuple[str, ...] = key((), PATTERNS, "patterns of URLs that the guard lets through")
    guard_deny: tuple[str, ...] = key((), PATTERNS, "patterns of URLs that the guard refuses as well")
    incremental: bool = key(True, FLAG, "fetch again only what changed since the last run")
    ignore: tuple[str, ...] = key((), REGEXES, "what counts for nothing when a page is compared with its last version")
    revisit: str = key("always", choice("always", "learned"), "learned: ask less often for what seldom changes")
    lastmod: bool = key(False, FLAG, "leave out pages that their sitemap says are older than the last fetch")
    handle_status: tuple[int, ...] = key((), STATUSES, "error statuses that go to the callback")
    max_html: int = key(10 * _MIB, SIZE, "HTML larger than this is not parsed")
    max_dom_depth: int = key(2000, whole(10), "HTML nested deeper than this is not parsed")
    max_segments: int = key(20, whole(1), "URLs with more path segments are skipped as traps")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """`[fetch]`: one exchange with a server."""

    connect_timeout: float = key(10.0, POSITIVE_DURATION, "for a connection, TLS included")
    timeout: float = key(30.0, POSITIVE_DURATION, "without a byte from the server")
    deadline: float | None = key(60.0, optional(POSITIVE_DURATION, "none"), "for a whole exchange, redirects included")
    retries: int = key(3, whole(0, 100), "further attempts after a fault")
    retry_statuses: tuple[int, ...] = key(
        (408, 429, 500, 502, 503, 504, 520, 521, 522, 524), STATUSES, "statuses that are tried again"
    )
    max_body: int | None = key(64 * _MIB, optional(SIZE, "none"), "body, after decoding; larger ones fail")
    max_redirects: int = key(20, whole(0, 1000), "redirects followed for one request")
    user_agent: str = key(f"crawlkit/{VERSION} (+{HOMEPAGE})", TEXT, "the User-Agent header")
    headers: Mapping[str, str] = key({}, HEADERS, "headers of every request")
    verify: bool | str = key(True, VERIFY, "check certificates; or the path of a file with trusted ones")
    proxies: tuple[str, ...] = key((), PROXIES, "URLs of proxies; a profile keeps the one it got")
    allow_private: bool | None = key(
        None, optional(FLAG, "auto"), "fetch from private addresses; auto only when a start URL is private"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """`[login]`: how logins are made and watched."""

    env_file: str | None = key(None, optional(TEXT, "none"), "file of NAME=value lines for credentials, mode 0600")
    max_failed_per_hour: int = key(3, whole(1), "failed logins of a profile before it is left alone")
    canary: str | None = key(None, optional(ADDRESS, "none"), "URL that only a logged-in visitor sees")
    canary_every: int = key(100, whole(1), "pages between two looks at the canary")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSettings:
    """`[profiles.NAME]`: where one account's credentials are found."""

    username: str | None = key(None, optional(VARIABLE, "none"), "environment variable that holds the user's name")
    password: str | None = key(None, optional(VARIABLE, "none"), "environment variable that holds the password")
    totp: str | None = key(None, optional(VARIABLE, "none"), "environment variable that holds the TOTP secret")
    keyring: str | None = key(None, optional(TEXT, "none"), "service in the system's keyring with these three entries")
    headers: Mapping[str, str] = key({}, HEADERS, "headers of this profile's requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`[store]`: what is kept, and where."""

    dir: str = key("data", TEXT, "folder of the databases, from the folder of crawl.toml")
    bodies: bool = key(False, FLAG, "keep the bodies of pages, for replays")
    history_runs: int = key(10, whole(0), "runs whose overwritten rows are kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """`[archive]`: what goes into a WACZ package."""

    scope: str = key("prefix", choice("page", "prefix", "host", "domain", "regex"), "which links belong to it")
    max_size: int | None = key(None, optional(SIZE, "none"), "size of the archive; when it is reached the crawl ends")
    redact: bool = key(True, FLAG, "take secrets out of what is written")
    secrets: tuple[str, ...] = key((), VARIABLES, "environment variables whose values are taken out as well")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """`[run]`: how a run reports."""

    log_file: str | None = key(None, optional(TEXT, "none"), "file that log lines are appended to")
    log_size: int | None = key(
        10 * _MIB, optional(SIZE, "none"), "size at which the log file is put aside as FILE.1 and begun anew"
    )
    log_keep: int = key(5, whole(1, 1000), "log files that are kept when they were put aside")
    log_format: str = key("text", choice("text", "json"), "how log lines are written")
    log_level: str = key("info", choice("debug", "info", "warning", "error"), "the least serious lines that are logged")
    on_failure: str | None = key(
        None, optional(COMMAND, "none"), "command that gets the JSON line of a run that failed"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """The keys that `[spiders.NAME]` has besides the sections above."""

    schedule: str | None = key(None, optional(SCHEDULE, "none"), 'when cron starts it, such as "0 6 * * *"')
    expect: Mapping[str, Any] = key({}, EXPECT, "rules that a run must keep")


#: Section → its dataclass. `profiles` and `spiders` are tables of names and are read on their own.
SECTIONS: Mapping[str, type[Any]] = {
    "crawl": CrawlSettings,
    "fetch": FetchSettings,
    "login": LoginSettings,
    "store": StoreSettings,
    "archive": ArchiveSettings,
    "run": RunSettings,
}
