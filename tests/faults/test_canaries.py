"""Canaries: a secret in every place where one can come in, a run that fails in every way, and a search of what it left.

FAULTS.md's "no secret in a log, error, report": searched is every byte of every file and stream that the run wrote.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from crawlkit.cli import main
from crawlkit.sessions.secretforms import forms_of
from tests.conftest import Command
from tests.crawl.loopback import Site, serving
from tests.faults.secretive_club import CANARIES, CONFIG, PAGES, SPIDER, VARIABLES

#: What the user wrote: the secrets in it are there on purpose.
_INPUTS = ("crawl.toml", "spider.py")
#: The vault keeps what a session needs; whether it can be read is a question of its own (its encryption).
VAULT = ("sessions.db",)


@pytest.fixture
def club() -> Iterator[Site]:
    with serving(PAGES) as site:
        yield site


def left_by(folder: Path, *, but: tuple[str, ...]) -> dict[str, bytes]:
    """Every file below `folder` that the user did not write, by name, a database's WAL and lock among them."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.name not in (*_INPUTS, *but) and not any(path.name.startswith(f"{name}-") for name in but)
    }


def found_in(places: dict[str, bytes]) -> list[str]:
    """Which canary stands where, in plain, percent-encoded, base64 (at any place within it), hex or escaped."""
    hits = []
    for place, data in places.items():
        lower = data.lower()
        for name, secret in CANARIES.items():
            # Found by hand as well as by what the product itself takes for all forms, and when a part was cut off.
            cut = secret[:12]
            plain = {
                cut,
                quote(cut, safe=""),
                b64encode(secret.encode()).decode()[:12],
                secret.encode().hex()[-14:],
                "".join(f"%{ord(c):02x}" for c in cut),
            }
            forms = {*forms_of(secret), *(form.encode() for form in plain)}
            if any(form in data or form in lower for form in forms):
                hits.append(f"{name} in {place}")
    return hits


def run_club(
    crawlkit: Command, write_spider: Callable[..., Path], club: Site, *arguments: str
) -> tuple[dict[str, bytes], subprocess.CompletedProcess[str]]:
    """What a run of the spider wrote, whatever it exited with: its files and its two streams."""
    spider = write_spider(SPIDER.replace("@BASE@", club.url))
    write_spider(CONFIG, name="crawl.toml")
    given = f"a_token={CANARIES['-a token']}"
    usual = ("--debug", "--json", "--log-file", "run.log")
    done = crawlkit("run", spider, "-a", given, *usual, *arguments, exit_code=None, **VARIABLES)
    streams = {"standard output": done.stdout.encode(), "standard error": done.stderr.encode()}
    return {**left_by(crawlkit.folder, but=VAULT), **streams}, done


@pytest.fixture
def here(
    tmp_path: Path, write_spider: Callable[..., Path], club: Site, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The folder with the spider and crawl.toml, as the working directory, and the variables in the environment."""
    write_spider(SPIDER.replace("@BASE@", club.url))
    write_spider(CONFIG, name="crawl.toml")
    monkeypatch.chdir(tmp_path)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    yield tmp_path


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_canary_is_in_what_a_run_wrote(
    crawlkit: Command, write_spider: Callable[..., Path], club: Site, form: str
) -> None:
    """Callbacks, errbacks, closed(), threads and warnings that shout them out, pages that fail, both forms of log."""
    wrote, done = run_club(crawlkit, write_spider, club, "--set", f"run.log_format={form}")
    assert [] == found_in(wrote)
    # That nothing was found must not be because nothing was said, or nothing was there.
    assert wrote["run.log"].count(b"[redacted]") > 100
    for words in ("no good: [", "errback", "logged in: ["):
        assert words.encode() in wrote["run.log"]
    for words in ("in a thread", "UserWarning: look"):
        assert words in done.stderr
    line = json.loads(done.stdout.splitlines()[-1])
    assert 1 == line["exit_code"]
    assert "[redacted]" in line["reason"]
    errors, reason = kept_in(crawlkit.folder / "data" / "club.db")
    assert len(errors) >= 6
    assert any("Traceback" in error and "[redacted]" in error for error in errors)
    assert "closed [" in reason and "[redacted]" in reason
    if form == "json":
        assert all(json.loads(row) for row in wrote["run.log"].splitlines())
    sent = "\n".join(f"{asked.path}{asked.headers}{asked.body!r}" for asked in club.asked)
    for name in ("cookie set by the server", "cookie set by the user", "header of the session", "header of a profile"):
        assert CANARIES[name] in sent
    for name in ("password", "token in a form", "field in a form"):
        assert quote(CANARIES[name], safe="") in sent
    assert b64encode(f"user:{CANARIES['userinfo of a URL']}".encode()).decode() in sent


def kept_in(path: Path) -> tuple[list[str], str]:
    """The errors of the pages and the reason of the run in a database."""
    with closing(sqlite3.connect(path)) as database:
        errors = [error for (error,) in database.execute("SELECT error FROM _pages WHERE state = 'failed'")]
        return errors, database.execute("SELECT reason FROM _runs").fetchone()[0]


@pytest.mark.parametrize(
    "setting",
    [
        'proxies = ["http://user:@CANARY@@127.0.0.1:9", "http://user:@OTHER@@127.0.0.1:9"]',
        'proxies = ["http://user:@CANARY@@127.0.0.1:port"]',
        'headers = { "X-Club-Token" = "@CANARY@" }\nverify = "/no/such/file"',
    ],
    ids=["a proxy that is not there", "a proxy that is none", "a header"],
)
def test_no_canary_of_the_settings_is_in_what_a_run_wrote(
    here: Path, setting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A login that fails, a file of settings that is wrong: the error names what is to be done, not the secret."""
    canary = CANARIES["proxy of the settings"]
    # Without requests of its own: what waits is kept as it is to be sent, for the run can be resumed.
    spider = here / "spider.py"
    spider.write_text(spider.read_text().replace("def start_requests", "def no_requests"))
    setting = setting.replace("@CANARY@", canary).replace("@OTHER@", CANARIES["other proxy of the settings"])
    config = CONFIG.replace("[fetch]\n", f"[fetch]\n{setting}\n")
    (here / "crawl.toml").write_text(config.replace('headers = { "Accept-Language" = "en" }\n', ""))
    assert main(["run", "spider.py", "-a", "a_token=x", "--debug", "--json"]) in (1, 2, 3)
    out, err = capfd.readouterr()
    assert [] == found_in({**left_by(here, but=VAULT), "output": out.encode(), "errors": err.encode()})


def test_what_looking_at_a_page_prints_has_no_canary(
    here: Path, club: Site, crawlkit: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    """`fetch --headers`, `shell -c` and `parse`, each with an error of its own."""
    url = f"{club.url}/rotated"
    key, user = CANARIES["header of a request"], CANARIES["userinfo of a URL"]

    def said(*arguments: str) -> str:
        main(list(arguments))
        out, err = capfd.readouterr()
        assert [] == found_in({"output": out.encode(), "errors": err.encode()})
        return f"{out}\n{err}"

    heads = said("fetch", url, "--headers", "-H", f"X-API-Key: {key}")
    assert "< Set-Cookie: sid=[redacted]; Path=/; HttpOnly" in heads
    assert "> X-API-Key: [redacted]" in heads
    assert "> Authorization: Basic [redacted]" in said("fetch", url.replace("//", f"//user:{user}@"), "--headers")
    assert "ValueError: [redacted]" in said("shell", url, "-c", "raise ValueError(session.cookies['sid'])")
    wrong = said("parse", "spider.py", url, "--callback", "parse_bad", "--debug", "-a", f"a_token={key}")
    assert "no good: ['[redacted]'" in wrong
    # In a process of its own: here pytest takes the log lines that nobody else takes.
    done = crawlkit("parse", "spider.py", club.url, "-a", f"a_token={key}")
    assert [] == found_in({"output": done.stdout.encode(), "errors": done.stderr.encode()})
    assert "'[redacted]', '[redacted]'" in done.stderr


def test_the_search_finds_what_it_looks_for() -> None:
    """Each canary in each form: or nothing would ever be found."""
    for name, secret in CANARIES.items():
        for form in (
            secret,
            quote(secret, safe=""),
            secret.encode().hex().upper(),
            b64encode(b"user:" + secret.encode()).decode(),
            urlsafe_b64encode(b"x" + secret.encode()).decode(),
            json.dumps(secret),
            secret[:12],
            "".join(f"%{byte:02x}" for byte in secret.encode())[:38],
        ):
            assert [f"{name} in it"] == found_in({"it": f"<{form}>".encode()})
