"""Making a case: a page that was fetched, written down without its secrets, with what its callback gives.

What belongs here: what of an answer is kept, names of cases. What does not: fetching it (cli/check.py), running a case
(cases.py).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawlkit.crawl.loading import SpiderSource
from crawlkit.crawl.offline import Offline, Page
from crawlkit.exceptions import UsageError
from crawlkit.sessions.leaks import is_secret
from crawlkit.sessions.secretnames import is_secret_name
from crawlkit.testing.cases import CASE, CASES, EXPECTED, NESTED, Case, Outcome, described, write_json
from crawlkit.testing.cassette import Cassette
from crawlkit.testing.cassette_secrets import Cleaning
from crawlkit.testing.wholefile import write_whole

if TYPE_CHECKING:
    from crawlkit.crawl.spider import Spider
    from crawlkit.sessions.response import Response

_NAME = re.compile(r"[^a-z0-9]+")
_LEFT_OUT = (
    "set-cookie",
    "set-cookie2",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "date",
    "connection",
)
_ENDINGS = (("html", "html"), ("json", "json"), ("xml", "xml"), ("csv", "csv"), ("text/", "txt"))


def save_case(
    source: SpiderSource, spider: Spider, response: Response, arguments: Mapping[str, str], name: str | None = None
) -> Outcome:
    """Write the case of `response`, the answer to a spider's request, and run it once: what it gives is expected.

    What the callback asks for by itself is fetched now and kept with it. A case of the same name, or of the same URL and
    callback, is replaced; when the callback fails, or anything else, it stays as it was. Raises what the callback raises.
    """
    request = response.request.spec
    assert request is not None
    cleaning = Cleaning([response.session.redactor], response.session.secret_headers)
    asked = {
        key: value for key, value in described(request, spider).items() if key not in ("headers", "cookies", "body")
    }
    asked["url"] = cleaning.url(request.url)
    ending = next((end for mark, end in _ENDINGS if mark in str(response.headers.get("Content-Type", ""))), "bin")
    content: dict[str, Any] = {
        "spider": source.spider.__name__,
        "request": asked,
        "response": {
            "url": cleaning.url(response.url),
            "status": response.status_code,
            "headers": [
                [header, cleaning.text(value)]
                for header, value in response.headers.items()
                if header.lower() not in _LEFT_OUT and not is_secret(header, response.session.secret_headers)
            ],
        },
        "body": f"page.{ending}",
    }
    kept = {key: value for key, value in arguments.items() if not is_secret_name(key)}
    if kept:
        content["arguments"] = kept
    folder = _folder(source.path.with_suffix(CASES), content, name)
    draft = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        write_whole(draft / content["body"], cleaning.data(response.body))
        write_json(draft / CASE, content)
        _record_nested(spider, response, draft / NESTED)
        outcome = Case.read(draft).run(source)
        if outcome.error is not None:
            raise UsageError(f"no case was saved: {outcome.error}")
        write_json(draft / EXPECTED, outcome.given.as_json())
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Outcome(Case.read(folder), outcome.given)


def _record_nested(spider: Spider, response: Response, path: Path) -> None:
    """Let the callback ask for what it wants, and keep the answers."""
    session, request = response.session, response.request.spec
    assert request is not None
    with Cassette(path, "all").use(session):
        page = Page(
            response.url,
            response.status_code,
            tuple((name, value) for name, value in response.headers.items() if name.lower() not in _LEFT_OUT),
            response.body,
            request,
        )
        Offline(spider, spider.settings, doing="a case", session=session).parse(page)


def _folder(cases: Path, content: Mapping[str, Any], name: str | None) -> Path:
    """Where the case goes: under its name, or one that its URL gives."""
    if name is not None:
        if name != Path(name).name or name.startswith(".") or not name.strip():
            raise UsageError(f"--name {name}: is no name of a folder")
        return cases / name
    parts = urlsplit(content["request"]["url"])
    slug = _NAME.sub("-", f"{parts.path} {parts.query}".lower()).strip("-")[:80].strip("-") or "start"
    callback = content["request"].get("callback", "parse")
    for number in range(1, 10_000):
        folder = cases / (slug if number == 1 else f"{slug}-{number}")
        if not (folder / CASE).exists():
            return folder
        there = Case.read(folder)
        if (there.asked, there.callback) == (content["request"]["url"], callback):
            return folder
    raise UsageError(f"{cases}: too many cases called {slug}; give this one a --name")
