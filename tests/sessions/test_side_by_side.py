"""requests and crawlkit make the same calls against one server: equal on the wire, equal results, but for
what the table says.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
import requests
import requests.auth

from crawlkit import Session
from crawlkit.sessions.digest import HTTPDigestAuth
from tests.sessions.calls import CALLS, Call
from tests.sessions.mirror import Mirror, Seen
from tests.sessions.wrong_calls import WRONG

# What a program may get: requests' tree (OSErrors and ValueErrors), and Python's own for wrong arguments.
RAISED = (OSError, ValueError, TypeError, AttributeError, RuntimeError, NotImplementedError, LookupError)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")


def test_the_table_is_long_and_its_names_are_unique() -> None:
    assert len(CALLS) >= 150
    assert len({call.name for call in CALLS + WRONG}) == len(CALLS + WRONG)


@pytest.mark.parametrize("call", CALLS + WRONG, ids=lambda call: call.name)
def test_both_do_the_same(
    call: Call, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name, value in call.env.items():
        if name == "NETRC":
            path = tmp_path_factory.mktemp("netrc") / "netrc"
            path.write_text(value)
            path.chmod(0o600)
            value = str(path)
        monkeypatch.setenv(name, filled(value, mirror))
    their_wire, their_result = run(requests.Session(), requests.auth.HTTPDigestAuth, call, mirror)
    our_wire, our_result = run(Session(), HTTPDigestAuth, call, mirror)
    if call.wire is None:
        assert their_wire == our_wire
    else:
        assert their_wire != our_wire, f"no longer true: {call.wire}"
    if call.result is None:
        assert their_result == our_result
    else:
        assert their_result != our_result, f"no longer true: {call.result}"


def run(session: Any, digest: Any, call: Call, mirror: Mirror) -> tuple[list[Any], dict[str, Any]]:
    """What one client sent, and what its program saw."""
    mirror.seen.clear()
    settings = call.session() if callable(call.session) else call.session
    for name, value in settings.items():
        value = filled(value, mirror)
        if name in ("headers", "cookies", "proxies", "params", "hooks"):
            getattr(session, name).update(value)
        else:
            setattr(session, name, value)
    kwargs = {
        name: filled(value, mirror) for name, value in (call.kwargs() if callable(call.kwargs) else call.kwargs).items()
    }
    if kwargs.get("auth") == "digest":
        kwargs["auth"] = digest("u", "p")
    kwargs.setdefault("timeout", 10)
    path = filled(call.path, mirror)
    url = path if ":" in path.split("/")[0] or path.startswith(("127", "just")) else mirror.url(path)
    with warnings.catch_warnings(), session:
        warnings.simplefilter("ignore")
        try:
            response = session.request(call.method, url, **kwargs)
            result = seen_by_program(response, session, call)
        except RAISED as error:
            result = {"raises": type(error).__name__}
    return [on_the_wire(request) for request in mirror.seen], result


def filled(value: Any, mirror: Mirror) -> Any:
    """The value with the server's names in it."""
    if isinstance(value, dict):
        return {name: filled(item, mirror) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    value = value.replace("{here}", mirror.url("")).replace("{there}", mirror.url("", "localhost"))
    return value.replace("{port}", str(mirror.port))


def on_the_wire(request: Seen) -> dict[str, Any]:
    """Method, target, headers as a set, body; what is random in them made the same."""
    headers = set()
    for name, value in request.headers:
        value = re.sub(r"boundary=\w+", "boundary=B", value)
        value = re.sub(r'(cnonce|response)="\w+"', r'\1="…"', value)
        if value.startswith("Digest "):
            value = ", ".join(sorted(value.removeprefix("Digest ").split(", ")))
        if name.lower() != "user-agent":
            headers.add((name.lower(), value))
    body = re.sub(rb"--[0-9a-f]{32}", b"--B", request.body)
    return {
        "method": request.method,
        "target": request.target,
        "headers": headers,
        "body": body,
        "chunked": request.chunked,
    }


def seen_by_program(response: Any, session: Any, call: Call) -> dict[str, Any]:
    """All that a program can ask of a response."""
    seen = {
        "status": (response.status_code, response.reason, response.ok, bool(response)),
        "url": response.url,
        "history": [(one.status_code, one.url, one.content) for one in response.history],
        "encoding": response.encoding,
        "redirect": (response.is_redirect, response.is_permanent_redirect),
        "next": response.next.url if response.next is not None else None,
        "links": response.links,
        "cookies": dict(response.cookies),
        "kept": sorted((cookie.name, cookie.value, cookie.path) for cookie in session.cookies),
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "sent": (response.request.method, response.request.url),
        "repr": repr(response),
    }
    if call.read is None:
        seen["content"], seen["text"] = response.content, response.text
        return seen
    try:
        seen["read"] = call.read(response)
    except RAISED as error:
        seen["read"] = f"raises {type(error).__name__}"
    return seen
