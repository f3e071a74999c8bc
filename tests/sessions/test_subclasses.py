"""Subclasses of Session as programs wrote them for requests: what they override is called as requests calls it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from unittest import mock
from urllib.parse import urljoin

import pytest
import requests as theirs

import crawlkit
from crawlkit import requests as ours
from crawlkit.exceptions import ReadTimeout
from crawlkit.sessions.defaults import UsualTimeout
from crawlkit.testing.hostile import HostileServer, Pause, answer
from tests.sessions.mirror import Mirror

Play = Callable[[Any, str], Any]


def same_in_both(play: Play, url: str) -> Any:
    """What `play` gives with requests, which must be what it gives with crawlkit."""
    expected, actual = play(theirs, url), play(ours, url)
    assert expected == actual
    return actual


# --- request() and send() ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "kwargs"),
    [
        ("get", {}),
        ("get", {"params": {"a": "1"}}),
        ("options", {}),
        ("head", {}),
        ("post", {"data": {"a": "1"}}),
        ("post", {"json": [1]}),
        ("put", {"data": b"x"}),
        ("patch", {"data": b"x"}),
        ("delete", {"allow_redirects": False}),
    ],
)
def test_verbs_call_request_as_in_requests(verb: str, kwargs: dict[str, Any], mirror: Mirror) -> None:
    """A `request(self, method, url, **kwargs)` finds each argument by its name, those with defaults as well."""

    def play(library: Any, url: str) -> Any:
        seen = []

        class Api(library.Session):  # type: ignore[misc]
            def request(self, method: str, url: str, **kwargs: Any) -> Any:
                seen.append((method, dict(kwargs)))
                kwargs.setdefault("timeout", 5)
                return super().request(method, url, **kwargs)

        with Api() as api:
            return getattr(api, verb)(url, **kwargs).status_code, seen

    same_in_both(play, mirror.url())


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("through", ["session", "function"])
def test_a_mocked_request_is_called_as_in_requests(verb: str, through: str, mirror: Mirror) -> None:
    """So that `assert_called_with` of a test goes on to hold."""

    def play(library: Any, url: str) -> Any:
        with mock.patch.object(library.Session, "request") as request:
            getattr(library.Session() if through == "session" else library, verb)(url)
        return request.call_args

    same_in_both(play, mirror.url())


def test_an_overridden_prepare_request_sees_what_it_sees_in_requests(mirror: Mirror) -> None:
    """The method is in capitals already."""

    def play(library: Any, url: str) -> Any:
        class Api(library.Session):  # type: ignore[misc]
            def prepare_request(self, request: Any) -> Any:
                self.seen = request.method
                return super().prepare_request(request)

        with Api() as api:
            api.request("get", url)
            return api.seen

    assert "GET" == same_in_both(play, mirror.url())


@pytest.mark.parametrize("kwargs", [{}, {"timeout": 7}, {"timeout": None}])
def test_an_overridden_send_gets_the_keys_of_requests(kwargs: dict[str, Any], mirror: Mirror) -> None:
    """On redirects, too; `timeout` is None where nobody set one."""

    def play(library: Any, url: str) -> Any:
        seen = []

        class Api(library.Session):  # type: ignore[misc]
            def send(self, request: Any, **kwargs: Any) -> Any:
                seen.append((sorted(kwargs), kwargs["timeout"], bool(kwargs["allow_redirects"])))
                return super().send(request, **kwargs)

        with Api() as api:
            api.get(url, **kwargs)
        return seen

    assert 2 == len(same_in_both(play, mirror.url("/chain?n=1")))


def test_the_usual_timeout_holds_under_an_overridden_send() -> None:
    """The None that it is given is no promise to wait for ever, however often it sends; one that somebody gave is."""

    class Api(crawlkit.Session):
        timeout = UsualTimeout((5.0, 0.05))
        tries = 0

        def send(self, request: Any, **kwargs: Any) -> Any:
            for _ in range(2):
                self.tries += 1
                try:
                    return super().send(request, **kwargs)
                except ReadTimeout:
                    continue
            return super().send(request, **kwargs)

    with HostileServer() as server, Api() as api:
        url = server.play("/slow", [Pause(0.15), answer(body=b"late")])
        with pytest.raises(ReadTimeout):
            api.get(url)
        assert 2 == api.tries
        redirect = server.play("/to", [answer(302, headers=[("Location", "/slow")])])
        with pytest.raises(ReadTimeout):
            api.get(redirect)
        assert "late" == api.get(url, timeout=None).text


def test_what_was_sent_can_be_sent_again_without_a_timeout() -> None:
    """A None that is given to `send()` itself still means none."""
    with HostileServer() as server, crawlkit.Session() as session:
        url = server.play("/", [answer(302, headers=[("Location", "/end")])])
        server.play("/end", [answer(body=b"fast")], [Pause(0.2), answer(body=b"late")])
        response = session.get(url)
        assert "fast" == response.text
        session.timeout = UsualTimeout((5.0, 0.05))
        assert not response.request._untimed
        assert "late" == session.send(response.request, timeout=None).text


# --- attributes of their own ------------------------------------------------------------------------------------------


def base_of_the_class(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        base_url = url
        timeout = 4
        retries = 5

        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            kwargs.setdefault("timeout", self.timeout)
            return super().request(method, self.base_url + url, **kwargs)

    with Api() as api:
        return api.get("?x=1").url, api.base_url, api.timeout, api.retries


def base_before_init(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        def __init__(self, base: str) -> None:
            self.base_url, self.profile, self.default_headers, self.pool = base, {"id": 1}, {"X": "1"}, [1]
            super().__init__()

        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            return super().request(method, self.base_url + url, **kwargs)

    with Api(url) as api:
        return api.get("?").url, api.profile, api.default_headers, api.pool


def toolbelts_base_url(library: Any, url: str) -> Any:
    class BaseUrlSession(library.Session):  # type: ignore[misc]
        """As in requests-toolbelt."""

        base_url: Any = None

        def __init__(self, base_url: str | None = None) -> None:
            if base_url:
                self.base_url = base_url
            super().__init__()

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(method, urljoin(self.base_url, url), *args, **kwargs)

        def prepare_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = urljoin(self.base_url, request.url)
            return super().prepare_request(request, *args, **kwargs)

    with BaseUrlSession(url) as session:
        prepared = session.prepare_request(library.Request("GET", "sub"))
        return session.get("sub").url, session.post("/echo").url, session.send(prepared).url


def names_of_ours(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.profile, self.pool, self.membership, self.redactor = {"id": 1}, "mine", {"level": 2}, "black"

        def save(self) -> Any:
            raise AssertionError("my save()")

        submit = download = bind = forget_changes = save

    with Api() as api:
        status = api.get(url).status_code
        return status, api.profile, api.pool, api.membership, api.redactor


def properties(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        @property
        def base_url(self) -> str:
            return url

        @property
        def profile(self) -> str:
            return str(self.get(self.base_url).status_code)

    with Api() as api:
        return api.profile


def a_base_that_is_no_text(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        def base_url(self, path: str) -> str:
            return url + path

    with Api() as api:
        return api.get(api.base_url("?a=1")).url, pickle.loads(pickle.dumps(api.headers)) == api.headers  # noqa: S301 - our own


def private_names(library: Any, url: str) -> Any:
    class Api(library.Session):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._cookies, self._sent, self._pool, self._profile = {"a": 1}, 0, None, "me"

        def _send(self, path: str) -> Any:
            self._sent += 1
            return self.get(url + path).status_code

        _load = _join = _policy = _exchange = _memory = _prepared = _absolute = _send

    with Api() as api:
        return api._send("?"), api._sent, dict(api.cookies)


@pytest.mark.parametrize(
    "play",
    [
        base_of_the_class,
        base_before_init,
        toolbelts_base_url,
        names_of_ours,
        properties,
        a_base_that_is_no_text,
        private_names,
    ],
)
def test_attributes_of_a_subclass_are_its_own(play: Play, mirror: Mirror) -> None:
    """Ours of the same name neither replace them nor stumble over them."""
    same_in_both(play, mirror.url())


def test_a_session_of_that_kind_pickles() -> None:
    """What it has of its own by a name of ours does not go into the pickle, as it does not in requests; settings do."""
    session = Jar()
    twin = pickle.loads(pickle.dumps(session))  # noqa: S301 - our own
    assert (9, 2, Jar.base_url) == (twin.timeout, twin.retries, twin.base_url)
    assert session.pool == [1]
    assert twin.pool is twin._connection_pool


class Jar(crawlkit.Session):
    base_url = "http://one.example/"
    timeout = 9

    def __init__(self) -> None:
        super().__init__(retries=2)
        self.pool = [1]  # type: ignore[assignment]


def test_what_is_given_stands_before_what_a_class_has() -> None:
    """An argument is meant; the class's is the default, of a setting that None turns off as well."""

    class Api(crawlkit.Session):
        timeout = 3
        deadline = 7.0

    assert (3, 7.0) == (Api().timeout, Api().deadline)
    assert (None, None) == (Api(timeout=None, deadline=None).timeout, Api(timeout=None, deadline=None).deadline)


def test_a_redactor_can_be_shared_beside_one_of_the_subclasss_own() -> None:
    """Only what is one is taken for one."""
    first, second = crawlkit.Session(), crawlkit.Session()
    second.redactor = first.redactor
    assert second.redactor is first.redactor
    second.headers["Authorization"] = "Bearer canary-of-the-second"
    assert "canary" not in first.redactor.redact("the canary-of-the-second is here")
