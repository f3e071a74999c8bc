"""httpbin behind pytest-httpbin: cookies, redirects, basic and digest auth, codings and delays, through a spider."""

from __future__ import annotations

import json
import sqlite3

SPIDER = '''
from crawlkit import Request, Spider
from crawlkit.requests import auth

class Bin(Spider):
    name = "bin"
    handle_status = [418]

    def start_requests(self):
        yield Request(f"{self.base}/cookies/set?flavour=oat", self.parse_cookies)
        yield Request(f"{self.base}/redirect/3", self.parse_redirect)
        yield Request(f"{self.base}/gzip", self.parse_json, cb_kwargs={"what": "gzip"})
        yield Request(f"{self.base}/deflate", self.parse_json, cb_kwargs={"what": "deflate"})
        yield Request(f"{self.base}/brotli", self.parse_json, cb_kwargs={"what": "brotli"})
        yield Request(f"{self.base}/delay/1", self.parse_json, cb_kwargs={"what": "delay"})
        yield Request(f"{self.base}/status/418", self.parse_status)
        yield Request(f"{self.base}/status/404", self.parse_status, errback=self.note)
        yield Request(f"{self.base}/post", self.parse_post, json={"n": 1})
        yield Request(f"{self.base}/headers", self.parse_headers, headers={"X-Spider": "bin"})
        yield Request(f"{self.base}/html", self.parse_auth)
        yield Request(f"{self.base}/encoding/utf8", self.parse_utf8)
        yield Request(f"{self.base}/links/5/0", self.parse_links)

    def parse_cookies(self, response):
        yield row("cookies", response, response.json()["cookies"])

    def parse_redirect(self, response):
        yield row("redirect", response, [answer.status_code for answer in response.history])

    def parse_json(self, response, what):
        yield row(what, response, sorted(response.json()))

    def parse_status(self, response):
        yield row("status", response, response.status)

    def note(self, failure):
        yield {"what": "errback", "status": failure.response.status, "value": json_text(None)}

    def parse_post(self, response):
        yield row("post", response, response.json()["json"])

    def parse_headers(self, response):
        yield row("headers", response, response.json()["headers"]["X-Spider"])

    def parse_auth(self, response):
        """Author code may block: these go over the same session, inside the callback."""
        basic = self.session.get(f"{self.base}/basic-auth/bea/pa%20ss", auth=("bea", "pa ss"))
        yield row("basic", basic, basic.json())
        wrong = self.session.get(f"{self.base}/basic-auth/bea/right", auth=("bea", "wrong"))
        yield row("wrong", wrong, None)
        digest = self.session.get(
            f"{self.base}/digest-auth/auth/bea/secret/SHA-256", auth=auth.HTTPDigestAuth("bea", "secret")
        )
        yield row("digest", digest, digest.json())

    def parse_utf8(self, response):
        yield row("utf8", response, response.css("h1::text").get())

    def parse_links(self, response):
        yield from response.follow_all("a", callback=self.parse_link)

    def parse_link(self, response):
        yield row("link", response, response.url.rpartition("/")[2])

def json_text(value):
    import json
    return json.dumps(value, ensure_ascii=False)

def row(what, response, value):
    return {"what": what, "status": response.status_code, "value": json_text(value)}
'''


def test_spider_over_httpbin(crawlkit, write_spider, httpbin):
    """Each of httpbin's tricks comes out as the row it should be."""
    spider = write_spider(SPIDER)
    line = crawlkit.run(spider, "-a", f"base={httpbin.url}", "--set", "crawl.robots=false", exit_code=None)
    database = sqlite3.connect(crawlkit.folder / "data/bin.db")
    try:
        found = database.execute("SELECT what, status, value FROM items").fetchall()
    finally:
        database.close()
    rows: dict[str, list[tuple[int, object]]] = {}
    for what, status, value in found:
        rows.setdefault(what, []).append((status, json.loads(value)))
    expected = {
        "cookies": [(200, {"flavour": "oat"})],
        "redirect": [(200, [302, 302, 302])],
        "gzip": [(200, ["gzipped", "headers", "method", "origin"])],
        "deflate": [(200, ["deflated", "headers", "method", "origin"])],
        "brotli": [(200, ["brotli", "headers", "method", "origin"])],
        "status": [(418, 418)],
        "errback": [(404, None)],
        "post": [(200, {"n": 1})],
        "headers": [(200, "bin")],
        "basic": [(200, {"authenticated": True, "user": "bea"})],
        "wrong": [(401, None)],
        "digest": [(200, {"authenticated": True, "user": "bea"})],
        "utf8": [(200, "Unicode Demo")],
    }
    delay = rows.pop("delay")
    links = rows.pop("link")
    assert expected == rows
    assert [200] == [status for status, _ in delay]
    assert ["1", "2", "3", "4"] == sorted(str(value) for _, value in links)
    assert 1 == line["failed"]  # /status/404 is a start request, and a start that is gone is a failure
    assert 1 == line["exit_code"]
