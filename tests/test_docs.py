"""The documentation is true: its commands and programs run in a copy of the examples, its tables name what there is."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import trustme
from pytest_httpbin import certs

from crawlkit.testing import demo_site, demo_site_runs
from tests.cli import stand_in_programs

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# (?:~/)?([\w./-]*\.(?:py|toml|netrc|env))\n")
EXIT_CODE = re.compile(r"# exit code (\d+)$")


class Step(NamedTuple):
    """A command and the lines that the page shows under it; "…" in a line stands for anything."""

    command: str
    shown: list[str]

    @property
    def exit_code(self) -> int:
        found = EXIT_CODE.search(self.command)
        return int(found[1]) if found else 0


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """(language, text) of each fenced block."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found[1], found[2]


def steps(text: str) -> list[Step]:
    """The commands of a console block."""
    found: list[Step] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
        elif line.strip() not in ("", "…"):
            found[-1].shown.append(line)
    return found


def matches(shown: str, printed: str) -> bool:
    """Whether a line of the page is among what was printed; how wide its columns are does not matter."""
    parts = (r"\s+".join(map(re.escape, part.split())) for part in shown.split("…"))
    return re.search(f"^.*{'.*'.join(parts)}.*$", printed, re.M) is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what a reader has: the example spiders and crawl.toml."""
    shutil.copytree(ROOT / "spiders", tmp_path / "spiders", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "crawl.toml", tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_crontab_of_ours(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page installs goes to stand-ins for crontab(1) and systemctl(1)."""
    home = tmp_path_factory.mktemp("programs")
    monkeypatch.setenv("PATH", f"{stand_in_programs.stand_ins(home / 'bin').folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))


@pytest.fixture
def open_shop() -> Iterator[None]:
    """The demo bookshop at the address that the pages name."""
    if demo_site_runs():
        yield
        return
    with demo_site():
        yield


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on a free port of loopback; its `host:port`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


class Members(Quiet):
    """Says welcome; who has no certificate does not come so far."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"welcome")


class Between(Quiet):
    """A proxy that tunnels for one user."""

    wanted = "Basic " + base64.b64encode(b"reader:a-quiet-room").decode()

    def do_CONNECT(self) -> None:
        if self.headers["Proxy-Authorization"] != self.wanted:
            self.send_error(407)
            return
        with socket.create_connection(self.path.split(":")) as origin:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: origin, origin: self.connection}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)


@pytest.fixture
def members(folder: Path) -> Iterator[str]:
    """A site that asks for a client certificate; the files that the page names are in the folder."""
    authority = trustme.CA()
    client = authority.issue_cert("reader@members.example")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    client.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(Members, context) as at:
        yield f"https://{at}"


@pytest.fixture
def stand_ins(
    members: str, monkeypatch: pytest.MonkeyPatch, httpbin: Any, httpbin_secure: Any
) -> Iterator[dict[str, str]]:
    """What stands on loopback for each host that docs/session.md names, in the order of replacing."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", certs.where())
    with serving(Between) as proxy:
        yield {
            "https://httpbin.org": httpbin_secure.url,
            "http://httpbin.org": httpbin.url,
            "machine httpbin.org": "machine 127.0.0.1",
            "https://members.example": members,
            "proxy.example:3128": proxy,
        }


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200", "HOME": str(folder)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


#: Pages of many processes: they run beside the long suites.
LONG_PAGES = frozenset(("archive", "cron", "login", "reports", "testing-spiders", "vault"))


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page.stem in LONG_PAGES else [], id=page.stem) for page in PAGES],
)
def test_page_runs(page: Path, folder: Path, open_shop: None, request: pytest.FixtureRequest):
    """Each block in its turn: files are written, commands print what the page shows, programs end well."""
    ran = 0
    here = request.getfixturevalue("stand_ins") if page.name == "session.md" else {}
    for language, text in blocks(page):
        for name, stand_in in here.items():
            text = text.replace(name, stand_in)
        named = FILE.match(text)
        if named and language in ("python", "toml", "netrc", "env"):
            (folder / named[1]).write_text(text, encoding="utf-8")
            continue
        ran += 1
        if language == "python":
            done = run([sys.executable, "-W", "error", "-c", text], folder)
            if (done.returncode, done.stderr) != (0, ""):
                pytest.fail(f"{page.name}: this program fails:\n{text}\n{done.stderr}", pytrace=False)
        elif language == "console":
            for step in steps(text):
                done = run(["bash", "-c", step.command], folder)
                printed = done.stdout + done.stderr
                missing = [line for line in step.shown if not matches(line, printed)]
                if done.returncode != step.exit_code or missing:
                    wrong = f"exit code {done.returncode}, not printed: {missing}"
                    pytest.fail(f"{page.name}: $ {step.command}\n{wrong}\n{printed}", pytrace=False)
        else:
            ran -= 1
    assert ran or page.name == "README.md"


def test_a_wrong_line_is_noticed():
    """The judge itself: a line that was not printed does not match, an ellipsis matches what it should."""
    assert matches("…finished: 315 pages, …", "12:00 bookshop finished: 315 pages, 0 failed")
    assert not matches("…finished: 317 pages, …", "12:00 bookshop finished: 315 pages, 0 failed")
    assert [Step("echo a  # exit code 5", ["a"])] == steps("$ echo a  # exit code 5\na\n")
    assert 5 == steps("$ echo a  # exit code 5\n")[0].exit_code


def test_readme_has_the_two_commands():
    """They are what a newcomer types and what .ci/run runs."""
    commands = [text.strip() for language, text in blocks(ROOT / "README.md") if language == "sh"]
    assert [
        "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/crawlkit run spiders/site.py",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ] == commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path):
    """No link to a page that is not there."""
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [] == [link for link in links if "://" not in link and not (page.parent / link).exists()]


def test_every_page_is_linked_from_the_readme():
    """A page that nobody finds is no documentation."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [] == [page.name for page in ROOT.glob("docs/*.md") if f"docs/{page.name}" not in readme]


def test_configuration_names_every_key():
    """docs/configuration.md has a row for each key, with the line that the code has for it."""
    from crawlkit.crawl.settings_sections import SECTIONS, JobSettings, ProfileSettings

    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## \[(\S+)\]\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    described = {**SECTIONS, "profiles.NAME": ProfileSettings, "spiders.NAME": JobSettings}
    assert list(described) == list(sections)
    for section, kind in described.items():
        rows = dict(re.findall(r"^\| `(\w+)`[ ¹]* \| .*? \| (.*?) \|$", sections[section], re.M))
        assert {field.name: field.metadata["doc"] for field in dataclasses.fields(kind)} == rows


def test_commands_names_every_command_and_option():
    """docs/commands.md has a section for each command, and each of its options in it."""
    from crawlkit.cli.entry import commands

    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## crawlkit (\w+).*?\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    context = click.Context(commands)
    assert sorted(commands.list_commands(context)) == sorted(sections)
    for name in sections:
        command = commands.get_command(context, name)
        assert command is not None
        options = [option for option in parameters(command) if isinstance(option, click.Option)]
        shown = {option.opts[0] for option in options if not option.hidden} - {"--debug", "--set", "--json", "--help"}
        assert (name, set()) == (name, {opt for opt in shown if f"{opt}" not in sections[name]})


def parameters(command: click.Command) -> list[click.Parameter]:
    """Those of a command; of a group, those of all its commands."""
    if not isinstance(command, click.Group):
        return command.params
    context = click.Context(command)
    members = [command.get_command(context, name) for name in command.list_commands(context)]
    return [parameter for member in members if member is not None for parameter in member.params]


def test_exit_codes_are_named():
    """docs/commands.md has a row for each exit code."""
    from crawlkit.cli import exit_codes

    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    rows = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.M) for code in row.split(",")}
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert codes == rows


def test_scrapy_settings_are_named():
    """docs/from-scrapy.md lists exactly the names that are understood."""
    from crawlkit.crawl.settings_scrapy import _NAMES

    text = (ROOT / "docs/from-scrapy.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([A-Z_]{4,})`", text.split("## Settings")[1]))
    assert set(_NAMES) == listed


def test_the_session_page_asks_only_hosts_that_stand_on_loopback():
    """Its programs run in tests, where nothing leaves the machine."""
    text = "".join(text for language, text in blocks(ROOT / "docs/session.md") if language == "python")
    asked = {host.partition(":")[0] for host in re.findall(r"https?://(?:[^/\"\s@]+@)?([^/\"\s?&)]+)", text)}
    assert {"httpbin.org", "127.0.0.1"} == {host for host in asked if not host.endswith((".example", ".co.uk"))}


def test_the_names_of_requests_that_are_left_out_are_named():
    """What tests/sessions says is missing stands in docs/session.md."""
    from tests.sessions.test_requests_names import OMITTED

    text = (ROOT / "docs/session.md").read_text(encoding="utf-8").rpartition("These names of requests are not there")[2]
    listed = {name.rpartition(".")[2] for name in re.findall(r"`([\w.]+)`", text)}
    assert {name for names in OMITTED.values() for name in names} == listed
