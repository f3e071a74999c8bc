"""The trap site: what each of its links does, so that a crawl can be judged by it."""

from __future__ import annotations

import pytest

from crawlkit import Session
from crawlkit.testing import TrapSite, trap_site
from crawlkit.testing.trap_site import DAMAGE, DETOUR, LOGOUTS, is_trap


def enter(session: Session, site: TrapSite) -> None:
    page = session.get(f"{site.url}/login")
    session.submit(page.form("#login"), dict(zip(("user", "password"), site.account, strict=True)))


@pytest.mark.parametrize("trap", [*LOGOUTS, DETOUR])
def test_a_logout_ends_the_login(trap: str) -> None:
    with trap_site(records=1) as site, Session() as session:
        enter(session, site)
        assert "Record 1" in session.get(f"{site.url}/records/1").text
        session.get(site.url + trap)
        assert session.get(f"{site.url}/records/1").url.endswith("/login")
        assert 1 == len(site.sprung)


def test_damage_is_counted_and_innocents_are_not() -> None:
    with trap_site(records=2) as site, Session() as session:
        enter(session, site)
        done = [*DAMAGE, "/records/2/delete", "/records/2?action=unpublish&csrf=x"]
        for path in (*done, *site.innocents):
            assert 200 == session.get(site.url + path).status_code
        assert done == site.sprung
        assert set(site.innocents) <= site.taken()
        assert 404 == session.get(f"{site.url}/records/3").status_code
        assert not any(map(is_trap, site.innocents))


def test_every_page_has_every_link() -> None:
    with trap_site(records=2) as site, Session() as session:
        enter(session, site)
        links = session.get(f"{site.url}/records/2").css("a::attr(href)").getall()
        assert {*LOGOUTS, *DAMAGE, DETOUR, "/records/2/delete"} <= set(links)
        assert {path for path in site.innocents if path != "/"} <= set(links)


def test_killers_end_the_login_and_do_not_look_like_it() -> None:
    """One with a proper page, the other with a redirect to the login; neither is an innocent or a trap."""
    with trap_site(records=3, killers={1: "page", 2: "login"}) as site, Session() as session:
        for number, lands in ((1, "/records/1"), (2, "/login")):
            enter(session, site)
            assert session.get(f"{site.url}/records/{number}").url.endswith(lands)
            assert session.get(f"{site.url}/records/3").url.endswith("/login")
            assert f"/records/{number}" not in site.innocents
        assert [] == site.sprung


def test_nobody_gets_in_without_the_password() -> None:
    with trap_site(records=1) as site, Session() as session:
        page = session.get(f"{site.url}/login")
        session.submit(page.form("#login"), {"user": "reader", "password": "wrong"})
        assert session.get(site.url + "/").url.endswith("/login")
        assert set() == site.taken()
        assert "answered=" in repr(site)
