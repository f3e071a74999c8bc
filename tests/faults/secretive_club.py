"""A club with a login that hands out secrets at every corner, and a spider that shows them wherever it can.

What belongs here: the site, the spider, and the secrets by where they come from. What does not: searching (test_canaries).
"""

from __future__ import annotations

from tests.crawl.loopback import Answer, Asked, Reply

#: By where each comes in. None is a substring of another, and none stands in the spider's file.
CANARIES = {
    "password": "Pw1/c'anary+Zq7",
    "totp": "JBSWY3DPEHPK3PXPKZQ7",
    "token of a variable": "Tk2-canary-Xj8",
    "-a token": "Ar3-canary-Lm9",
    "cookie set by the server": "Sc4-canary-Wd2",
    "cookie that replaced it": "Rc5-canary-Vb3",
    "cookie of a failing page": "Fc6-canary-Nh4",
    "cookie set by the user": "Uc7-canary-Gt5",
    "cookie of a request": "Qc8-canary-Fr6",
    "header of the session": "Hs9-canary-De7",
    "header of a request": "Hr1-canary-Sw8",
    "userinfo of a URL": "Ui2-canary-Aq9",
    "userinfo of a proxy": "Px3-canary-Zx1",
    "proxy of the settings": "Ps4-canary-Cv2",
    "other proxy of the settings": "Po5-canary-Yu3",
    "token in a form": "Cf5-canary-Bn3",
    "field in a form": "Ff6-canary-Mk4",
    "header of a profile": "Hp7-canary-Lo5",
}

#: The variables that the run finds in its environment.
VARIABLES = {
    "CLUB_USER": "member-of-the-club",
    "CLUB_PASSWORD": CANARIES["password"],
    "CLUB_TOTP": CANARIES["totp"],
    "CLUB_TOKEN": CANARIES["token of a variable"],
    "CLUB_OWN_COOKIE": CANARIES["cookie set by the user"],
    "CLUB_REQUEST_COOKIE": CANARIES["cookie of a request"],
    "CLUB_HEADER": CANARIES["header of the session"],
    "CLUB_REQUEST_HEADER": CANARIES["header of a request"],
    "CLUB_USERINFO": CANARIES["userinfo of a URL"],
    "CLUB_PROXY": CANARIES["userinfo of a proxy"],
    "CLUB_FIELD": CANARIES["field in a form"],
}

_FORM = f"""<a href=/>home</a><form method=post action=/in>
<input type=hidden name=csrf_token value={CANARIES["token in a form"]}>
<input name=name><input type=password name=kennwort><input type=password name=second></form>"""

_LINKED = ("echo", "tell", "rotated", "500", "gone", "cut", "edge", "ignored", "one")
_HOME = "".join(f'<a class=page href="/{name}">{name}</a>' for name in _LINKED)


def _cookie(name: str) -> dict[str, str]:
    return {"Set-Cookie": f"sid={CANARIES[name]}; Path=/; HttpOnly"}


def _failing(asked: Asked) -> Reply:
    return Reply("broken", 500, {"Set-Cookie": f"fail={CANARIES['cookie of a failing page']}; Path=/"})


PAGES: dict[str, Answer] = {
    "/robots.txt": "User-agent: *\nAllow: /\n",
    "/login": _FORM,
    "/in": Reply("", 302, {"Location": "/", **_cookie("cookie set by the server")}),
    "/": _HOME + "<p class=member>",
    "/echo": "<p class=member>",
    "/tell": "<p class=member>",
    "/rotated": Reply("<p class=member>", headers=_cookie("cookie that replaced it")),
    "/500": _failing,
    "/cut": lambda asked: None,
    **{f"/{name}": "<p class=member>" for name in ("edge", "ignored", "one", "protected")},
    "/asked": "<p class=member>",
}

CONFIG = f"""
[crawl]
workers = 2
robots = true

[fetch]
retries = 0
headers = {{ "Accept-Language" = "en" }}

[profiles.member]
username = "CLUB_USER"
password = "CLUB_PASSWORD"
totp = "CLUB_TOTP"
headers = {{ "X-Club-Card" = "{CANARIES["header of a profile"]}" }}
"""

SPIDER = '''
import base64, json, logging, os, threading, urllib.parse, warnings
from crawlkit import IgnoreRequest, Request, Spider


class Club(Spider):
    name = "club"
    profile = "member"
    start_urls = ["@BASE@/"]

    def start_requests(self):
        userinfo = "@BASE@/protected".replace("//", "//user:" + os.environ["CLUB_USERINFO"] + "@")
        proxy = "http://user:" + os.environ["CLUB_PROXY"] + "@127.0.0.1:9"
        yield Request("@BASE@/", callback=self.parse)
        yield Request(userinfo, callback=self.parse_bad)
        yield Request("@BASE@/by-proxy", callback=self.parse_bad, proxy=proxy, errback=self.failed)
        yield Request("@BASE@/by-meta", callback=self.parse_bad, meta={"proxy": proxy})
        yield Request("@BASE@/asked", callback=self.parse_bad, headers={"X-Api-Token": os.environ["CLUB_REQUEST_HEADER"]},
                      cookies={"own": os.environ["CLUB_REQUEST_COOKIE"]})

    def login(self, session):
        session.cookies.set("mine", os.environ["CLUB_OWN_COOKIE"])
        session.headers["X-API-Key"] = os.environ["CLUB_HEADER"]
        session.headers["X-Access-Token"] = os.environ["CLUB_TOKEN"]
        page = session.get("@BASE@/login")
        self.seen = self.credentials.otp()
        session.submit(page.form(), {"name": self.credentials.username, "kennwort": self.credentials.password,
                                     "second": os.environ["CLUB_FIELD"]})
        self.token = page.css("[name=csrf_token]::attr(value)").get()
        self.used = {"OWN_COOKIE", "HEADER", "TOKEN", "PASSWORD", "TOTP", "FIELD"}
        self.logger.info("logged in: %s", self.all_secrets(session))

    def logged_in(self, response):
        return bool(response.css(".member"))

    def all_secrets(self, session):
        """Everything that was used by now and nobody may see."""
        values = [os.environ["CLUB_" + name] for name in sorted(getattr(self, "used", ()))]
        values += [cookie.value for cookie in session.cookies] + [self.a_token, getattr(self, "token", "")]
        values += [str(value) for name, value in session.headers.items() if name.startswith("X-")]
        self.old = getattr(self, "old", []) + [value for value in values if value not in getattr(self, "old", [])]
        return self.old

    def shapes(self, session):
        for value in self.all_secrets(session):
            yield value
            yield urllib.parse.quote(value, safe="")
            yield base64.b64encode(b"user:" + value.encode()).decode()
            yield base64.urlsafe_b64encode(value.encode()).decode()
            yield value.encode().hex()
            yield json.dumps({"v": value})
            yield "".join("%%%02x" % byte for byte in value.encode())

    def parse(self, response):
        self.logger.debug("headers: %r", dict(response.request.headers))
        self.logger.warning("%s", list(self.shapes(response.session)))
        yield from response.follow_all("a.page", callback=self.parse_bad, errback=self.failed)

    def parse_bad(self, response):
        name = response.url.rpartition("/")[2]
        self.used |= {"asked": {"REQUEST_HEADER", "REQUEST_COOKIE"}, "protected": {"USERINFO"}}.get(name, set())
        secrets = list(self.shapes(response.session))
        if name == "tell":
            logging.getLogger("author").error("%d of them", secrets)
            warnings.warn(f"look: {secrets}", UserWarning)
            thread = threading.Thread(target=self.raise_all, args=(secrets,))
            thread.start()
            thread.join()
            yield {"name": name}
            return
        secret = os.environ["CLUB_HEADER"]
        if name == "ignored":
            raise IgnoreRequest(secret)
        if name == "one":
            response.one(f"a[title='{secret}']")
        if name == "edge":  # where messages are cut to 200 characters, and tracebacks to their last 4,000
            token = base64.b64encode(secret.encode()).decode()
            raise ValueError("." * 184 + token + secret.encode().hex() + "." * 3985)
        try:
            raise KeyError(secrets[0])
        except KeyError as error:
            raise ValueError(f"no good: {secrets}") from error

    def raise_all(self, secrets):
        raise RuntimeError("in a thread: " + " ".join(secrets))

    def failed(self, failure):
        if "proxy" in failure.request.url:
            self.used |= {"PROXY"}
        self.logger.error("failed with %r", failure.value, exc_info=failure.value)
        raise LookupError(f"errback {self.all_secrets(self.session)}") from failure.value

    def closed(self, reason):
        self.logger.info("proxies %s", [urllib.parse.urlsplit(proxy).password for proxy in self.settings.fetch.proxies])
        raise ValueError(f"closed {list(self.shapes(self.session))}")
'''
