"""The store: what overwrites what, what is sent where, limits, threads, forks."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.sessions.cookiestore import CookieStore

HTTPS = "https://www.example.com/"
HTTP = "http://www.example.com/"


class Clock:
    """The time of day, moved by hand."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CookieStore:
    return CookieStore(clock=clock)


def test_host_only(store: CookieStore) -> None:
    """Without a Domain the cookie stays with its host; with one it goes to the hosts below (what
    http.cookiejar gets wrong).
    """
    store.receive("https://example.com/", ["own=1", "all=2; Domain=example.com"])
    assert "own=1; all=2" == store.header_for("https://example.com/")
    assert "all=2" == store.header_for(HTTPS)
    assert None is store.header_for("https://badexample.com/")
    assert None is store.header_for("https://example.com.evil.org/")
    assert None is store.header_for("https://example.com./")


def test_secure_stays_on_https(store: CookieStore) -> None:
    """A Secure cookie is not sent over plain http."""
    store.receive(HTTPS, ["a=1; Secure", "b=2"])
    assert "b=2" == store.header_for(HTTP)
    assert "a=1; b=2" == store.header_for(HTTPS)


def test_ports_do_not_matter(store: CookieStore) -> None:
    """RFC 6265bis section 8.5: cookies do not provide isolation by port."""
    store.receive("http://localhost:8001/", ["a=1"])
    assert "a=1" == store.header_for("http://localhost:8002/")


def test_hosts_in_any_spelling(store: CookieStore) -> None:
    """Case, Unicode and the spelling of an address do not make another host."""
    store.receive("http://BÜCHER.example/", ["a=1"])
    store.receive("http://127.1/", ["b=2"])
    assert "a=1" == store.header_for("http://xn--bcher-kva.example/")
    assert "b=2" == store.header_for("http://127.0.0.1/")


# RFC 6265bis section 5.7 step 16; Web Platform Tests, cookies/secure ("leave secure cookies alone").
@pytest.mark.parametrize(
    ("existing", "at", "new", "kept"),
    [
        ("a=1; Secure", HTTPS, "a=2", False),
        ("a=1; Secure", HTTPS, "A=2", True),
        ("a=1; Secure; Domain=example.com", HTTPS, "a=2", False),
        ("a=1; Secure", HTTPS, "a=2; Domain=example.com", False),
        ("a=1; Secure", "https://example.com/", "a=2; Domain=example.com", False),
        ("a=1; Secure", "https://other.example.com/", "a=2", True),
        ("a=1; Secure; Path=/login", HTTPS, "a=2; Path=/", True),
        ("a=1; Secure; Path=/login", HTTPS, "a=2; Path=/login/en", False),
        ("a=1; Secure", HTTPS, "a=; Max-Age=0", False),
        ("a=1", HTTPS, "a=2", True),
        ("a=1; Secure; Max-Age=0", HTTPS, "a=2", True),
    ],
)
def test_http_leaves_secure_cookies_alone(store: CookieStore, existing: str, at: str, new: str, kept: bool) -> None:
    """A cookie from plain http does not overlay a Secure one, in either direction of the domains."""
    store.receive(at, [existing])
    assert kept == bool(store.receive(HTTP, [new]))
    if not kept:
        assert 1 == store.refused
        assert "a=1" in (store.header_for(f"{at}login/en") or "")


def test_an_expired_secure_cookie_protects_nothing(store: CookieStore, clock: Clock) -> None:
    """The name is free again when the Secure cookie is over."""
    store.receive(HTTPS, ["a=1; Secure; Max-Age=10"])
    clock.now += 11
    assert store.receive(HTTP, ["a=2"])


def test_overwriting_keeps_the_creation_time(store: CookieStore, clock: Clock) -> None:
    """Same name, domain, host-only flag and path: the new value takes the old one's place in the order (step
    22).
    """
    (first,) = store.receive(HTTPS, ["a=1; Path=/"])
    store.receive(HTTPS, ["b=1; Path=/"])
    clock.now += 100
    (again,) = store.receive(HTTPS, ["a=2; Path=/; HttpOnly"])
    assert first.creation == again.creation
    assert "a=2; b=1" == store.header_for(HTTPS)
    store.receive(HTTPS, ["a=; Max-Age=0; Path=/"])
    store.receive(HTTPS, ["a=3; Path=/"])
    assert "b=1; a=3" == store.header_for(HTTPS)


def test_domain_and_host_only_cookies_are_two(store: CookieStore) -> None:
    """The host-only flag is a part of what makes two cookies one."""
    store.receive("https://example.com/", ["a=1", "a=2; Domain=example.com"])
    assert "a=1; a=2" == store.header_for("https://example.com/")


def test_order(store: CookieStore, clock: Clock) -> None:
    """Longer paths first, then older cookies, over all hosts (section 5.8.3 step 2)."""
    store.receive(HTTPS, ["1=x; Path=/; Domain=example.com"])
    store.receive(HTTPS, ["2=x; Path=/a"])
    store.receive(HTTPS, ["3=x; Path=/; Domain=www.example.com"])
    store.receive(HTTPS, ["4=x; Path=/a/b; Domain=example.com", "5=x; Path=/a"])
    assert "4=x; 2=x; 5=x; 1=x; 3=x" == store.header_for(f"{HTTPS}a/b/c")


def test_order_when_the_clock_steps_back(store: CookieStore, clock: Clock) -> None:
    """Creation times come from a clock that only goes forward."""
    store.receive(HTTPS, ["a=1"])
    clock.now -= 1000
    store.receive(HTTPS, ["b=2"])
    assert "a=1; b=2" == store.header_for(HTTPS)


def test_expiry(store: CookieStore, clock: Clock) -> None:
    """An expired cookie is not sent and is gone."""
    store.receive(HTTPS, ["a=1; Max-Age=10", "b=2"])
    assert "a=1; b=2" == store.header_for(HTTPS)
    clock.now += 10
    assert "b=2" == store.header_for(HTTPS)
    assert 1 == len(store.snapshot()[1])


def test_nameless(store: CookieStore) -> None:
    """A nameless cookie is sent without "=", and there is one of them at a path."""
    store.receive(HTTPS, ["first", "=second"])
    assert "second" == store.header_for(HTTPS)


def test_same_site(store: CookieStore, clock: Clock) -> None:
    """What another site caused carries Lax cookies with safe methods, Strict ones never; a young cookie
    without SameSite also goes with a POST, for two minutes (section 5.6.7.2)."""
    store.receive(HTTPS, ["n=1; SameSite=None; Secure", "l=1; SameSite=Lax", "s=1; SameSite=Strict", "d=1"])
    assert "n=1; l=1; s=1; d=1" == store.header_for(HTTPS, method="POST")
    assert "n=1; l=1; d=1" == store.header_for(HTTPS, same_site=False)
    assert "n=1; d=1" == store.header_for(HTTPS, method="POST", same_site=False)
    clock.now += 121
    assert "n=1" == store.header_for(HTTPS, method="POST", same_site=False)
    assert "n=1; l=1; d=1" == store.header_for(HTTPS, method="head", same_site=False)


def test_bytes_are_kept(store: CookieStore) -> None:
    """What came as latin-1 goes back as the same bytes."""
    line = "a=" + "é€".encode().decode("latin-1")
    store.receive(HTTPS, [line])
    assert line == store.header_for(HTTPS)


def test_fifty_lines_a_response(store: CookieStore) -> None:
    """Set-Cookie lines after the 50th are not looked at."""
    kept = store.receive(HTTPS, [f"c{n}=1" for n in range(60)])
    assert [f"c{n}" for n in range(50)] == [cookie.name for cookie in kept]


def test_what_a_request_carries(store: CookieStore) -> None:
    """At most 150 cookies, the first in order; at most 8,190 bytes with the header's name."""
    for start in range(0, 200, 50):
        store.receive(HTTPS, [f"c{n}=1" for n in range(start, start + 50)])
    sent = (store.header_for(HTTPS) or "").split("; ")
    assert [f"c{n}=1" for n in range(150)] == sent
    other = "https://other.example/"
    store.receive(other, ["a=" + "x" * 4000, "b=" + "x" * 4000, "c=" + "x" * 4000, "small=1"])
    header = store.header_for(other) or ""
    assert "; small=1" == header[-9:]
    assert len(f"Cookie: {header}") <= 8190
    assert 2 == header.count("x=") + header.count("a=") + header.count("b=")


def test_limit_of_a_site(clock: Clock) -> None:
    """A site with too many cookies loses those without Secure first, the least recently sent first, and no
    other site any.
    """
    store = CookieStore(clock=clock, max_per_site=10)
    store.receive("https://other.co.uk/", [f"o{n}=1" for n in range(10)])
    store.receive("https://www.example.co.uk/", [f"s{n}=1; Secure; Path=/s" for n in range(5)])
    for n in range(5):
        clock.now += 1
        store.receive("https://example.co.uk/", [f"p{n}=1; Path=/{n}"])
    store.header_for("https://example.co.uk/0")
    clock.now += 1
    store.header_for("https://example.co.uk/1")
    clock.now += 1
    store.receive("https://example.co.uk/", ["new=1"])
    names = {cookie.name for cookie in store.snapshot()[1]}
    assert {"p0", "p1", "p3", "p4", "new", *(f"s{n}" for n in range(5)), *(f"o{n}" for n in range(10))} == names


def test_limit_of_the_store(clock: Clock) -> None:
    """When all is full, expired cookies go first, then those of crowded domains, then the least recently
    sent.
    """
    store = CookieStore(clock=clock, max_total=100)
    store.receive("https://gone.example/", ["e=1; Max-Age=5"])
    for n in range(30):
        store.receive(f"https://h{n}.example{n}.org/", ["old=1"])
    clock.now += 10
    store.receive("https://crowd.net/", [f"c{n}=1" for n in range(50)])
    store.receive("https://crowd.net/", [f"d{n}=1" for n in range(20)])
    names = [cookie.name for cookie in store.snapshot()[1]]
    assert 30 == names.count("old")
    assert "e" not in names
    assert 70 - 1 == len(names) - 30


def test_a_hostile_site_fills_nothing(clock: Clock) -> None:
    """However many hosts of a site set cookies, the site stays within its limit and the others keep
    theirs.
    """
    store = CookieStore(clock=clock, max_per_site=100)
    store.receive(HTTPS, ["login=1"])
    for n in range(300):
        store.receive(f"https://h{n}.evil.org/", [f"a{n}=1; Domain=evil.org", "b=1"])
    cookies = store.snapshot()[1]
    assert len(cookies) <= 101
    assert "login=1" == store.header_for(HTTPS)


def test_a_request_looks_at_its_own_hosts(store: CookieStore) -> None:
    """Two thousand cookies of other hosts, of one site even, are not looked at."""
    for n in range(2000):
        store.receive(f"https://h{n}.example.com/", ["x=1"])
    store.receive(HTTPS, ["a=1", "b=1; Domain=example.com"])
    assert 2 == len(store._index.sources("www.example.com"))
    assert "a=1; b=1" == store.header_for(HTTPS)


def test_an_epoch_keeps_late_answers_out(store: CookieStore) -> None:
    """An answer to a request from before the login does not overwrite the login's cookies."""
    before = store.epoch
    now = store.next_epoch()
    store.receive(HTTPS, ["sid=new"], epoch=now)
    assert [] == store.receive(HTTPS, ["sid=old", "sid=; Max-Age=0"], epoch=before)
    assert "sid=new" == store.header_for(HTTPS)


def test_refusals_are_logged_without_values(store: CookieStore, caplog: pytest.LogCaptureFixture) -> None:
    """The log says host and rule, never name or value."""
    with caplog.at_level(logging.DEBUG, "crawlkit"):
        store.receive(HTTP, ["hidden=secret; Secure", "ok=1"])
    assert "www.example.com" in caplog.text and "https" in caplog.text
    assert "secret" not in caplog.text and "hidden" not in caplog.text
    assert 1 == store.refused


def test_no_host(store: CookieStore) -> None:
    """URLs without a host carry and set nothing."""
    store.receive(HTTPS, ["a=1"])
    for url in ("mailto:a@example.com", "", "https://", "file:///etc/passwd"):
        assert [] == store.receive(url, ["a=1"])
        assert None is store.header_for(url)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run_threads(work: list[threading.Thread]) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize("each", [100, pytest.param(1600, marks=pytest.mark.slow)])
def test_threads_lose_nothing(each: int) -> None:
    """64 threads set cookies of 2,000 names on one host, and send all the while: none is lost, nothing is
    raised.
    """
    store = CookieStore()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(each):
                name = (number * each + turn) % 2000
                store.receive("http://127.0.0.1/", [f"c{name}={number}; Path=/"])
                assert store.header_for("http://127.0.0.1/")
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    run_threads([threading.Thread(target=work, args=(number,)) for number in range(64)])
    assert [] == errors
    assert {f"c{n}" for n in range(2000)} == {cookie.name for cookie in store.snapshot()[1]}
    assert 2000 == len(store._index)
    order = [key for _, _, key in store._index.sources("127.0.0.1")[0].order]
    assert 2000 == len(order) == len(set(order))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_another_thread_holds_the_lock(store: CookieStore) -> None:
    """The child can use the store, although the thread that held its lock is not there."""
    store.receive(HTTPS, ["a=1"])
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if store.header_for(HTTPS) == "a=1" else 1)
    done.set()
    holder.join()
    assert 0 == os.waitpid(child, 0)[1]


HOSTS = [
    "example.com",
    "www.example.com",
    "a.www.example.com",
    "example.co.uk",
    "b.example.co.uk",
    "localhost",
    "127.0.0.1",
]
PATHS = ["/", "/a", "/a/", "/a/b", "/ab"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(HOSTS),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["", *HOSTS]),
            st.sampled_from(PATHS),
            st.booleans(),
            st.sampled_from(["", "; Max-Age=0", "; Max-Age=100"]),
        ),
        max_size=30,
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS),
    st.booleans(),
)
def test_the_index_says_what_a_plain_list_would(
    lines: list[tuple[str, str, str, str, bool, str]], host: str, path: str, secure: bool
) -> None:
    """The header is the one that looking at every cookie in turn gives."""
    clock = Clock()
    store = CookieStore(clock=clock)
    for number, (at, name, domain, where, is_secure, age) in enumerate(lines):
        attributes = f"; Path={where}{'; Secure' * is_secure}{f'; Domain={domain}' if domain else ''}{age}"
        store.receive(f"https://{at}/", [f"{name}={number}{attributes}"])
    chosen = [
        cookie
        for cookie in store.snapshot()[1]
        if (host == cookie.host or (not cookie.host_only and host.endswith(f".{cookie.host}")))
        and (path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/"))
        and (secure or not cookie.secure)
    ]
    chosen.sort(key=lambda cookie: (-len(cookie.path), cookie.creation))
    expected = "; ".join(f"{cookie.name}={cookie.value}" for cookie in chosen) or None
    assert expected == store.header_for(f"http{'s' * secure}://{host}{path}")
