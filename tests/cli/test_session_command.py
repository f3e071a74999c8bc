"""`crawlkit session`: what it tells of the vault, what it takes in and hands out, and what it keeps to itself."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keyring
import pytest

from crawlkit.cli import entry
from crawlkit.sessions import vaultkey
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.profile import Profile
from crawlkit.sessions.vault import Vault
from crawlkit.sessions.vaultcipher import new_key
from tests.conftest import Command
from tests.sessions.test_firefox import fill
from tests.sessions.test_vaultcipher import InMemory

SECRET = "s3cret-value-of-a-cookie"
COOKIES_TXT = f"""# Netscape HTTP Cookie File
.example.com\tTRUE\t/\tTRUE\t4102444800\tall\t{SECRET}
#HttpOnly_www.example.com\tFALSE\t/a\tFALSE\t0\tsid\t{SECRET}
old.example\tFALSE\t/\tFALSE\t1\told\t1
"""
VAULT = Path("data/sessions.db")


class Told(NamedTuple):
    out: str
    err: str

    @property
    def object(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


class Terminal(io.TextIOWrapper):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


Session = Callable[..., Told]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Session:
    """`crawlkit session …` in an empty folder that has no key; what it printed. No secret is ever on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(vaultkey.VARIABLE, raising=False)
    monkeypatch.setattr("crawlkit.sessions.systemkeyring.is_installed", lambda: False)

    def run(*words: object, code: int = 0, stdin: str = "", terminal: bool = False) -> Told:
        monkeypatch.setattr(sys, "stdin", (Terminal if terminal else io.TextIOWrapper)(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        found = entry.invoke(["session", *map(str, words)])
        told = Told(*capsys.readouterr())
        assert code == found, told
        assert SECRET not in told.err
        return told

    return run


def filled(name: str = "alice", **options: Any) -> Profile:
    profile = Vault(VAULT, **options).profile(name)
    profile.jar.set_cookie(
        Cookie("sid", SECRET, "example.com", host_only=False, dotted=True, secure=True, httponly=True, samesite="Lax")
    )
    profile.jar.set_cookie(Cookie("seen", "1", "www.example.com", path="/shop", expires=time.time() + 3 * 86400 + 60))
    profile.headers["Authorization"] = f"Bearer {SECRET}"
    profile.headers["DNT"] = None
    profile.state["login"] = {"epoch": 2}
    profile.state["token"] = {"for": "x", "access": SECRET, "refresh": SECRET, "expires": time.time() + 7230}
    profile.state["login attempt 1"] = time.time() - 60
    profile.save()
    return profile


# --- list and show


def test_list(session: Session) -> None:
    """Hosts, age, login, failed logins; without a vault it says where one comes from, and makes none."""
    assert "data/sessions.db: no profiles yet" in session("list").out
    assert not Path("data").exists()
    filled()
    profile = Vault(VAULT).profile("many")
    for number in range(5):
        profile.jar.set("a", "1", domain=f"h{number}.example")
    profile.save()
    lines = session("list").out.splitlines()
    assert ["profile", "cookies", "hosts", "saved", "login"] == lines[0].split()
    assert "alice          2  example.com, www.example.com" in lines[1]
    assert "logged in 0 seconds ago, token expires in 2 hours, 1 failed login in the last hour" in lines[1]
    assert "h0.example, h1.example, h2.example and 2 more" in lines[2]
    found = session("list", "--json").object
    assert ["alice", "many"] == [profile["profile"] for profile in found["profiles"]]
    assert (False, 0, 1) == (
        found["encrypted"],
        found["exit_code"],
        found["profiles"][0]["login"]["failed_last_hour"],
    )


def test_show_hides_the_values(session: Session) -> None:
    """It says what each is for, and how long the values are."""
    filled()
    told = session("show", "alice").out
    assert SECRET not in told
    for line in (
        "alice in data/sessions.db: 2 cookies, 2 headers",
        "(0 seconds ago)",
        "token: expires in 2 hours, is renewed by a refresh token",
        "1 failed login in the last hour",
        "sid     24 characters  example.com and hosts under it  to the end of the session  Secure, HttpOnly, SameSite=Lax",
        "seen    1 character    www.example.com, /shop          expires in 3 days",
        "Authorization  31 characters",
        "DNT            not sent",
    ):
        assert line in told
    assert SECRET in session("show", "alice", "--reveal").out
    assert SECRET not in session("show", "alice", "--json").out
    found = session("show", "alice", "--json", "--reveal").object
    assert {SECRET, "1"} == {cookie["value"] for cookie in found["cookies"]}
    assert {f"Bearer {SECRET}", None} == {header["value"] for header in found["headers"]}
    assert [SECRET] == [entry["value"]["access"] for entry in found["state"]]
    assert ["Lax", None] == [cookie["same_site"] for cookie in found["cookies"]]


def test_show_tells_what_has_expired(session: Session) -> None:
    """As long as nothing was saved since."""
    filled()
    db = sqlite3.connect(VAULT)
    db.execute("UPDATE cookies SET expires = ? WHERE name = 'seen'", (int(time.time()) - 2 * 86400,))
    db.commit()
    db.close()
    assert "expired 2 days ago" in session("show", "alice").out
    assert [False, True] == [c["expired"] for c in session("show", "alice", "--json").object["cookies"]]


def test_no_escape_sequence_reaches_the_terminal(session: Session) -> None:
    profile = Vault(VAULT).profile("alice")
    profile.headers["X-Title"] = b"\x1b[2J\x07"
    profile.save()
    assert r"\x1b[2J\x07" in session("show", "alice", "--reveal").out


@pytest.mark.parametrize(
    "words", [("show", "alcie"), ("export", "alcie", "-o", "x"), ("fork", "alcie", "b"), ("forget", "alcie", "--yes")]
)
def test_a_profile_that_does_not_exist(session: Session, words: tuple[str, ...]) -> None:
    """The nearest is named; nothing changes."""
    filled()
    before = VAULT.read_bytes()
    assert "has no profile 'alcie'; did you mean 'alice'?" in session(*words, code=2).err
    assert before == VAULT.read_bytes()
    assert "it has: none" in session("show", "a", "--vault", empty_vault(), code=2).err


def empty_vault() -> Path:
    Vault("data/empty.db")
    return Path("data/empty.db")


def test_which_vault(session: Session) -> None:
    """That of crawl.toml above, another by its path; one that is not there is an error."""
    Path("crawl.toml").write_text('[store]\ndir = "elsewhere"\n')
    Path("deeper").mkdir()
    os.chdir("deeper")
    assert "elsewhere/sessions.db" in session("list").out
    Vault("mine.db").profile("bob").save()
    assert {"profiles": []}.items() <= session("list", "--vault", "mine.db", "--json").object.items()
    assert "--vault no.db: there is no such file" in session("list", "--vault", "no.db", code=2).err
    Path("mine.db").chmod(0o644)
    assert "chmod 600" in session("list", "--vault", "mine.db", code=2).err
    assert "did you mean 'list'?" in session("lits", code=2).err


# --- import


def test_import_of_cookies_txt(session: Session) -> None:
    """It merges: what was there is told apart from what is new."""
    Path("c.txt").write_text(COOKIES_TXT)
    assert (
        "alice in data/sessions.db: 2 cookies added, 1 expired and left out\n"
        == session("import", "alice", "c.txt").out
    )
    Path("c.txt").write_text(COOKIES_TXT.replace("\tall\t", "\tall\tnew"))
    found = session("import", "alice", "c.txt", "--json").object
    assert (0, 1, 1, 1) == tuple(found[count] for count in ("added", "replaced", "unchanged", "expired"))
    jar = Vault(VAULT).profile("alice").jar
    assert f"new{SECRET}" == jar.get("all")
    sent = jar.header_for("https://www.example.com/a")
    assert {f"all=new{SECRET}", f"sid={SECRET}"} == set((sent or "").split("; "))


def test_import_of_what_extensions_export(session: Session) -> None:
    """By what it holds, not by its name; from standard input too; only of some hosts."""
    exported = [
        {"name": "a", "value": SECRET, "domain": ".example.com"},
        {"name": "b", "value": SECRET, "domain": "www.example.com"},
        {"name": "c", "value": SECRET, "domain": "badexample.com"},
    ]
    text = json.dumps(exported)
    assert "2 cookies added" in session("import", "alice", "-", "--domain", "Example.com", stdin=text).out
    assert ["a", "b"] == sorted(cookie.name for cookie in Vault(VAULT).profile("alice").jar)
    none = session("import", "alice", "-", "--domain", "other.example", stdin=text, code=2).err
    assert "there is no cookie of other.example in it; alice was left as it is" in none


CURL = f"""curl 'https://www.example.com/account' \\
  -H 'authorization: Bearer {SECRET}' -H 'user-agent: M' -H 'accept: */*' \\
  -b 'sid={SECRET}; new=1'
"""


def test_import_of_a_curl_command(session: Session) -> None:
    """Cookies for the URL's host alone, and the headers worth keeping; a cookie of that name is not sent twice."""
    filled()
    told = session("import", "alice", "-", stdin=CURL)
    assert "1 cookie added, 1 replaced" in told.out and "headers: authorization, user-agent" in told.out
    assert "left out: accept" in told.err and "others on this machine" not in told.err
    profile = Vault(VAULT).profile("alice")
    sent = profile.jar.header_for("https://www.example.com/") or ""
    assert {f"sid={SECRET}", "new=1"} == set(sent.split("; "))
    assert None is profile.jar.header_for("https://api.example.com/")
    assert ("M", f"Bearer {SECRET}") == (profile.headers["User-Agent"], profile.headers["Authorization"])
    assert "others on this machine can see a command line" in session("import", "bob", CURL).err


@pytest.mark.parametrize("kind", ["cookies.txt", "cURL"])
def test_import_of_many_cookies_walks_the_jar_once(
    session: Session, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """And not once for each cookie: a browser's whole jar would take minutes."""
    walks: list[int] = []
    walk = CookieJar._present

    def counted(jar: CookieJar) -> list[Cookie]:
        walks.append(1)
        return walk(jar)

    monkeypatch.setattr(CookieJar, "_present", counted)
    names = [f"n{number}" for number in range(500)]
    lines = [f".example.com\tTRUE\t/\tTRUE\t4102444800\t{name}\tv\n" for name in names]
    Path("c.txt").write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
    assert "500 cookies added" in session("import", "alice", "c.txt").out
    if kind == "cURL":
        Path("c.txt").write_text(f"curl https://www.example.com/ -b '{'; '.join(f'{name}=w' for name in names)}'")
        walks.clear()
        assert "0 cookies added, 500 replaced" in session("import", "alice", "c.txt").out
        assert 500 == len(Vault(VAULT).profile("alice").jar)
    assert len(walks) < 10


def test_import_of_more_cookies_than_a_site_may_have(session: Session) -> None:
    lines = [f".example.com\tTRUE\t/\tTRUE\t4102444800\tn{number}\tv\n" for number in range(3200)]
    Path("c.txt").write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
    told = session("import", "alice", "c.txt").err
    kept = len(Vault(VAULT).profile("alice").jar)
    assert 2900 < kept <= 3000
    assert f"there is a limit to the cookies of one site: {3200 - kept} were let go" in told


def test_import_from_firefox(session: Session, tmp_path: Path) -> None:
    """Rows of containers are counted; browsers that keep theirs encrypted are told what to do instead."""
    folder = fill(tmp_path / "firefox")
    told = session("import", "alice", "--from-browser", "firefox", "--browser-profile", folder)
    assert "2 cookies added" in told.out and "left out: 2 cookies of containers" in told.err
    assert "export a cookies.txt" in session("import", "alice", "--from-browser", "Chrome", code=2).err
    assert "only firefox" in session("import", "alice", "--from-browser", "lynx", code=2).err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (COOKIES_TXT.replace("\tFALSE\t0", "\tnever\t0"), "c.txt, line 3: the fourth field must be TRUE or FALSE"),
        (SECRET, "c.txt, line 1: there are 1 fields"),
        (f'\n[\n {{"name": "{SECRET}"', "c.txt, line 3: this is no JSON"),
        (
            f'[{{"value": "{SECRET}", "expirationDate": {"9" * 5000}}}]',
            "c.txt: there is a number in it that is too long",
        ),
        (f'[{{"name": "{SECRET}"}}]', "c.txt, cookie 1: 'value' is missing"),
        (f"curl 'https://example.com -b {SECRET}", "c.txt: a single quote has no end"),
        ("curl https://example.com -H 'accept: x'", "c.txt: there is no cookie in it; alice was left as it is"),
        ("", "c.txt: there is no cookie in it"),
    ],
)
def test_import_of_what_is_broken(session: Session, text: str, problem: str) -> None:
    """The file and the line are named; nothing is made and nothing changes."""
    Path("c.txt").write_text(text)
    assert problem in session("import", "alice", "c.txt", code=2).err
    assert not VAULT.exists()


def test_import_needs_one_source(session: Session) -> None:
    assert "c.txt: cannot be read: No such file" in session("import", "alice", "c.txt", code=2).err
    assert "name one source" in session("import", "alice", code=2).err
    assert "name one source" in session("import", "alice", "c.txt", "--from-browser", "firefox", code=2).err
    assert "goes with --from-browser" in session("import", "alice", "c", "--browser-profile", "x", code=2).err
    assert "no name for a profile" in session("import", "../alice", "c.txt", code=2).err


# --- export, fork, forget


def test_export(session: Session) -> None:
    """A file of mode 0600 that is read again; standard output when it is asked for."""
    filled()
    assert "Missing option" in session("export", "alice", code=2).err
    before = os.umask(0)
    try:
        assert "wrote 2 cookies to c.txt" in session("export", "alice", "-o", "c.txt").err
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(Path("c.txt").stat().st_mode)
    assert session("export", "alice", "-o", "-").out.encode() == Path("c.txt").read_bytes()
    session("import", "twin", "c.txt")
    url = "https://www.example.com/shop"
    assert Vault(VAULT).profile("alice").jar.header_for(url) == Vault(VAULT).profile("twin").jar.header_for(url)
    session("export", "alice", "-o", "c.json", "--format", "json", "--domain", "www.example.com", "--json")
    assert ["seen"] == [cookie["name"] for cookie in json.loads(Path("c.json").read_text())]
    before_vault = VAULT.read_bytes()
    assert "is the vault" in session("export", "alice", "-o", VAULT, code=2).err
    assert "there is no folder none" in session("export", "alice", "-o", "none/c.txt", code=2).err
    assert "both write to standard output" in session("export", "alice", "-o", "-", "--json", code=2).err
    assert before_vault == VAULT.read_bytes()


def test_fork(session: Session) -> None:
    filled()
    assert "forked alice as bob\n" == session("fork", "alice", "bob").out
    assert {"sid", "seen"} == {cookie.name for cookie in Vault(VAULT).profile("bob").jar}
    assert "has a profile 'bob' already" in session("fork", "alice", "bob", code=2).err


def test_forget(session: Session) -> None:
    """Somebody is asked, or says it beforehand; no byte of it stays."""
    filled()
    assert "add --yes" in session("forget", "alice", code=2).err
    assert "kept alice\n" == session("forget", "alice", terminal=True, stdin="n\n").out
    assert ["alice"] == Vault(VAULT).names()
    assert "forgot alice\n" == session("forget", "alice", terminal=True, stdin="y\n").out
    assert [] == Vault(VAULT).names()
    filled()
    assert session("forget", "alice", "--yes", "--json").object["forgotten"]
    assert SECRET.encode() not in VAULT.read_bytes()


# --- encryption


def test_encrypt_and_decrypt(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret in the file, every command as before with the key, and told what to do without."""
    filled()
    assert "set CRAWLKIT_VAULT_KEY" in session("encrypt", code=2).err
    key = session("key").out.strip()
    assert key != session("key", "--json").object["key"]
    monkeypatch.setenv(vaultkey.VARIABLE, key)
    assert "data/sessions.db: encrypted 1 profile\n" == session("encrypt").out
    assert SECRET.encode() not in VAULT.read_bytes()
    assert "is encrypted already" in session("encrypt").out
    shown = session("show", "alice", "--reveal").out
    assert SECRET in shown and session("list", "--json").object["encrypted"]
    monkeypatch.delenv(vaultkey.VARIABLE)
    listed = session("list")
    assert "example.com" in listed.out and "logins are not shown" in listed.err
    for words in (
        ("show", "alice"),
        ("export", "alice", "-o", "-"),
        ("fork", "alice", "b"),
        ("encrypt",),
        ("decrypt",),
    ):
        assert "is encrypted and CRAWLKIT_VAULT_KEY is not set" in session(*words, code=2).err
    monkeypatch.setenv(vaultkey.VARIABLE, new_key())
    assert "with another key than the one in the environment" in session("show", "alice", code=2).err
    Path("env").write_text(f"{vaultkey.VARIABLE}={key}\n")
    Path("env").chmod(0o600)
    Path("crawl.toml").write_text('[login]\nenv_file = "env"\n')
    monkeypatch.delenv(vaultkey.VARIABLE)
    assert shown == session("show", "alice", "--reveal").out
    assert "decrypted 1 profile" in session("decrypt").out
    assert "is not encrypted" in session("decrypt").out


def test_encrypt_with_the_keyring(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is made and kept there; nobody needs to see it."""
    monkeypatch.setattr("crawlkit.sessions.systemkeyring.is_installed", lambda: True)
    before, backend = keyring.get_keyring(), InMemory()
    keyring.set_keyring(backend)
    try:
        told = session("encrypt", "--keyring")
        assert "encrypted 0 profiles" in told.out
        filled()
        assert SECRET in session("show", "alice", "--reveal").out
        assert 1 == len(backend.entries) and SECRET.encode() not in VAULT.read_bytes()
        assert next(iter(backend.entries.values())) not in told.out + told.err
    finally:
        keyring.set_keyring(before)


# --- runs


def test_a_run_without_the_vaults_key_changes_nothing(
    session: Session, crawlkit: Command, write_spider: Callable[[str], Path]
) -> None:
    """Told before the first request, as is a profile that is mistyped."""
    filled(key=new_key())
    spider = write_spider('from crawlkit import Spider\nclass S(Spider):\n    start_urls = ["http://127.0.0.1:1/"]\n')
    done = crawlkit("run", spider, exit_code=2)
    assert "is encrypted and CRAWLKIT_VAULT_KEY is not set" in done.stderr
    session("forget", "alice", "--yes")
    assert ["sessions.db"] == [file.name for file in Path("data").iterdir()]


def test_a_run_with_a_mistyped_profile_changes_nothing(
    session: Session, crawlkit: Command, write_spider: Callable[[str], Path]
) -> None:
    filled()
    spider = write_spider('from crawlkit import Spider\nclass S(Spider):\n    start_urls = ["http://127.0.0.1:1/"]\n')
    done = crawlkit("run", spider, "--profile", "alcie", exit_code=2)
    assert "--profile alcie: there is no such profile; did you mean 'alice'?" in done.stderr
    assert ["sessions.db"] == [file.name for file in Path("data").iterdir()]
