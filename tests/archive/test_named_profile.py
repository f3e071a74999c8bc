"""An archive with `--profile` alone: what is known of the profile counts, although nothing is logged in."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from crawlkit.cli.entry import invoke
from tests.archive.protected_site import ProtectedSite
from tests.crawl.loopback import Reply, serving

PASSWORD = "a-quiet-room+4/7"
TOTP = "GEZDGNBVGY3TQOJQ"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kept_in", ["environment", "env_file"])
def test_a_password_that_no_login_used_is_not_in_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kept_in: str
) -> None:
    """A session that still lives needs no login, and pages show the password all the same, or the secret of the codes."""
    secrets = {"ME_USER": "reader", "ME_PASSWORD": PASSWORD, "ME_TOTP": f"otpauth://totp/x?secret={TOTP}"}
    table = '[profiles.me]\nusername = "ME_USER"\npassword = "ME_PASSWORD"\ntotp = "ME_TOTP"\n'
    if kept_in == "environment":
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
    else:
        table += '[login]\nenv_file = "secrets.env"\n'
        (folder / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
        (folder / "secrets.env").chmod(0o600)
    (folder / "crawl.toml").write_text(table)
    page = f"<title>Reader</title><p>reader, your password is {PASSWORD}, your codes come from {TOTP}.</p>"
    with serving({"/": Reply(page)}) as site:
        assert 0 == invoke(["archive", f"{site.url}/", "--profile", "me", "-o", "me.wacz", "--quiet"])
    with zipfile.ZipFile(folder / "me.wacz") as package:
        members = {name: package.read(name) for name in package.namelist()}
    plain = b"".join(gzip.decompress(held) if name.endswith(".gz") else held for name, held in members.items())
    assert b"reader, your password is" in plain
    assert not [secret for secret in (PASSWORD, TOTP) if secret.encode() in plain]


@pytest.mark.parametrize("shown", ["redirect", pytest.param("form", marks=pytest.mark.slow)])
def test_without_a_session_a_login_page_is_no_page(capsys: pytest.CaptureFixture[str], shown: str) -> None:
    """Who names a profile is a member: the archive stops before anything of the login is in it, and says what to do."""
    with ProtectedSite(dies_after=None, shown_to_strangers=shown) as site:
        assert 3 == invoke(["archive", site.url, "--profile", "me", "-o", "club.wacz", "--quiet"])
        assert {"/robots.txt", "/club/", "/login"} >= {asked.path.partition("?")[0] for asked in site.log}
    said = capsys.readouterr().err
    assert "profile 'me' is not logged in" in said and "session import" in said and "crawlkit login" in said
    assert not Path("club.wacz").exists()
    packed = b"".join(gzip.decompress(path.read_bytes()) for path in Path("club.wacz.part").glob("*.warc.gz"))
    assert b"warcinfo" in packed and b"/login" not in packed and b"/club/\r\n" not in packed


def test_without_a_profile_a_page_with_a_login_is_a_page() -> None:
    """Strangers' pages are what a stranger archives."""
    with ProtectedSite(dies_after=None, shown_to_strangers="form") as site:
        assert 0 == invoke(["archive", site.url, "-o", "club.wacz", "--quiet"])
    assert Path("club.wacz").exists()
