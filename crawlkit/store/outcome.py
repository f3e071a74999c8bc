"""The values that pass between the crawl and its store: what is asked for, what is lent out, what comes back.

What belongs here: plain values. What does not: SQL, and how a page comes to its outcome (crawl/). Every URL is
text in canonical form, every time `time.time()` seconds, every size bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: What SQLite can hold. A NaN is written as the text "NaN", because SQLite turns a bound NaN into NULL.
Scalar = str | int | float | bytes | None

#: What a value was before it became a Scalar that does not show it: a list or dict, now JSON text; a boolean, now 1 or 0.
Kind = Literal["json", "bool"]

#: How a page can end, or `queued`: it goes back and may be fetched at `not_before`.
State = Literal["done", "failed", "skipped", "queued"]

#: The reason of a page that was skipped because another request of the crawl ended on the same page.
SAME_PAGE = "same page"

#: The reason of a page that was skipped because it is not there any more: it loses its rows.
GONE = "gone"

#: The state in the verdict on an outcome that did not count: its page was not leased to this run any more.
STALE = "stale"


@dataclass(slots=True)
class Link:
    """A request to add to the frontier.

    `fingerprint` is 16 bytes (url.fingerprint); a link whose fingerprint the crawl has met already is not added again.
    With `dont_filter` it is a page of its own for each page that yields it, so that crawling that page again finds the
    same page again. `request` is JSON of what differs from a plain GET. `host` is the name that limits are kept under.
    """

    fingerprint: bytes
    url: str
    host: str
    priority: int = 0
    depth: int = 0
    request: str | None = None
    dont_filter: bool = False
    not_before: float = 0.0
    start: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """By what a later crawl knows a page again.

    `source_hash` marks all that had a say in what was made of its body; `body_hash` is of that body without what counts
    for nothing, None when its validators have to do.
    """

    source_hash: bytes
    etag: str | None = None
    last_modified: str | None = None
    body_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What the store knows of a page from an earlier crawl, whose rows and links it still has.

    `body` names its bytes in the file of bodies, if they were kept.
    """

    memory: Memory
    size: int
    content_type: str | None
    fetched_at: float
    changed_at: float
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Body:
    """A page's bytes, for the file of bodies: `name` is their hash, `data` is compressed, `size` that of the bytes."""

    name: bytes
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange as an archive has it: `length` bytes of the WARC file `file` from the byte `start` on.

    `kind`: "response" or "revisit". `own`: it is the page itself, and not a redirect on the way there or what its callback
    fetched. `url` is what the archive shows, without secrets; `date` as its WARC-Date says; `status` None when the answer
    broke off within its head; `mime` "" when it does not say; `size` in bytes and `digest` are of the payload, the latter
    None where no later record may refer to it. `refers_url` and `refers_date`: the record that a revisit refers to.
    """

    file: str
    start: int
    length: int
    kind: str
    url: str
    date: str
    status: int | None
    mime: str
    digest: str | None
    size: int
    own: bool
    refers_url: str | None = None
    refers_date: str | None = None


@dataclass(slots=True)
class Lease:
    """A page lent to a worker of run `run`, until its Outcome is committed or the next run starts.

    `past` is there when the page may turn out to be unchanged; `ended` is where it ended last time, None when that was
    where it was asked for. `probe`: nothing led here in this crawl, the question is whether it is still there; its links
    are not followed. While an archive is made, `via` is the URL of the page that it was found on, and `recorded` says that
    there is a record that an answer of 304 can refer to.
    """

    page: int
    fingerprint: bytes
    url: str
    host: str
    priority: int
    depth: int
    attempts: int
    request: str | None
    start: bool
    run: int
    past: Past | None = None
    ended: str | None = None
    probe: bool = False
    via: str | None = None
    recorded: bool = False


@dataclass(slots=True)
class Row:
    """A row for the author's table `table`. `key` names what identifies it; else its place on the page does.

    `kinds` names the columns whose values were lists, dicts or booleans, and is empty for most rows.
    """

    table: str
    values: dict[str, Scalar]
    key: tuple[str, ...] = ()
    kinds: dict[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that the guard did not let through: `url` without the values that guard it, why, and the link's text."""

    url: str
    reason: str
    text: str = ""


@dataclass(slots=True)
class Outcome:
    """All that a page produced. Committed as a whole or not at all.

    `page_key` is the fingerprint of the final canonical URL of a plain GET, None for a request that is a page of its
    own. `error` is the reason of a failed or skipped page. `attempts` is the number of sends so far, `elapsed` seconds.
    `not_before` matters for state `queued` only. `refused` are links of the page that are told once a run.
    `known` are further pages that it links to, which this crawl has met. `memory` lets a later crawl know it again.
    `unchanged`: it is as an earlier crawl found it, keeps its rows, and what it linked to then is followed again; `saved`
    bytes of it were not sent for that reason. `records` are on the disk in an archive.
    """

    page: int
    run: int
    state: State
    status: int | None = None
    final_url: str | None = None
    page_key: bytes | None = None
    error: str | None = None
    attempts: int = 0
    not_before: float = 0.0
    fetched_at: float | None = None
    elapsed: float | None = None
    size: int = 0
    content_type: str | None = None
    rows: list[Row] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    memory: Memory | None = None
    body: Body | None = None
    unchanged: bool = False
    saved: int = 0
    records: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """What became of an Outcome.

    `state` may differ from the outcome's: `skipped` with reason "same page", `failed` when its rows cannot be stored,
    `stale` when the page was not leased to this run. `hosts` are those that got work. `new_links` and `rows` count what
    was added to the frontier and written to the author's tables. `targets` are the pages of the outcome's links by
    fingerprint. Of an `unchanged` page `rows` counts those it keeps, `tables` where they are.
    """

    page: int
    state: str
    reason: str | None = None
    new_links: int = 0
    rows: int = 0
    hosts: set[str] = field(default_factory=set)
    targets: dict[bytes, int] = field(default_factory=dict)
    unchanged: bool = False
    tables: dict[str, int] = field(default_factory=dict)
