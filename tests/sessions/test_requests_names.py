"""crawlkit.requests has requests' names: module by module, with what is left out and why."""

from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys
from types import ModuleType

import pytest
import requests as theirs_whole
import urllib3

import crawlkit
from crawlkit import requests
from crawlkit.testing.hostile import HostileServer, answer

MODULES = [
    "",
    "adapters",
    "api",
    "auth",
    "certs",
    "compat",
    "cookies",
    "exceptions",
    "help",
    "hooks",
    "models",
    "packages",
    "sessions",
    "status_codes",
    "structures",
    "utils",
]

# Where what a module merely imported for itself comes from: no name of requests.
FOREIGN = (
    "typing",
    "typing_extensions",
    "collections",
    "collections.abc",
    "contextlib",
    "__future__",
    "base64",
    "types",
)

CHECKS = "crawlkit's package metadata says which versions it needs; nothing is checked at run time"
TYPING = "a flag for type checkers that was imported, no name of requests"
OMITTED: dict[str, dict[str, str]] = {
    "": {
        "charset_normalizer_version": CHECKS,
        "chardet_version": CHECKS,
        "check_compatibility": CHECKS,
        "DependencyWarning": CHECKS,
    },
    "adapters": {"SOCKSProxyManager": "SOCKS proxies are connected to by crawlkit's own pool"},
    "compat": {"ModuleType": "imported for requests' own annotations"},
    "help": {
        "pyopenssl": "crawlkit speaks TLS with the standard library's ssl alone",
        "OpenSSL": "crawlkit speaks TLS with the standard library's ssl alone",
        "cryptography": "crawlkit speaks TLS with the standard library's ssl alone",
        "chardet": "charset_normalizer is the one detector",
    },
    "packages": {
        "package": "the variable of a loop that requests leaves behind",
        "mod": "the variable of a loop that requests leaves behind",
        "target": "the variable of a loop that requests leaves behind",
    },
    "utils": {"HEADER_VALIDATORS": "requests' own patterns; check_header_validity() asks crawlkit's"},
}


def public(module: ModuleType) -> set[str]:
    """Names of a module without a leading underscore that are neither modules nor imported from typing and
    the like.
    """
    names = set()
    for name, value in vars(module).items():
        origin = getattr(value, "__module__", None) or type(value).__module__
        if name.startswith("_") or name == "TYPE_CHECKING" or origin in FOREIGN:
            continue
        if isinstance(value, ModuleType) and not _is_offered(module, name, value):
            continue
        names.add(name)
    return names


def _is_offered(module: ModuleType, name: str, value: ModuleType) -> bool:
    """Modules that are names of requests: its own, and those that compat stands for."""
    if module.__name__ == "requests":
        return value.__name__.startswith("requests.") and not name.startswith("_")
    return module.__name__ == "requests.compat" and name in ("json", "cookielib", "chardet")


def _pair(name: str) -> tuple[ModuleType, ModuleType]:
    suffix = f".{name}" if name else ""
    return importlib.import_module(f"requests{suffix}"), importlib.import_module(f"crawlkit.requests{suffix}")


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_there_or_left_out_for_a_reason(name: str) -> None:
    """And nothing is listed as left out that is there."""
    theirs, ours = _pair(name)
    missing = {each for each in public(theirs) if not hasattr(ours, each)}
    if name == "help":  # what requests has there depends on whether pyOpenSSL is installed
        missing |= {"pyopenssl", "OpenSSL", "cryptography"}
    assert set(OMITTED.get(name, {})) == missing


@pytest.mark.parametrize("name", MODULES)
def test_every_name_in_all_exists(name: str) -> None:
    """`from … import *` works."""
    _, ours = _pair(name)
    assert all(hasattr(ours, each) for each in getattr(ours, "__all__", ()))


def test_the_top_level_is_requests() -> None:
    """`__all__` is the same, and so are the attributes that say what this is."""
    assert set(theirs_whole.__all__) == set(requests.__all__)
    assert theirs_whole.__version__ == requests.__version__
    assert theirs_whole.__build__ == requests.__build__


@pytest.mark.parametrize("name", ["logging", "ssl", "urllib3", "warnings"])
def test_modules_that_programs_reach_through_requests(name: str) -> None:
    """`requests.ssl.SSLError`, `requests.urllib3.disable_warnings()`: requests imports them, so they are there."""
    assert getattr(theirs_whole, name) is getattr(requests, name) is sys.modules[name]


CALLABLES = [
    "api.request",
    "api.get",
    "api.options",
    "api.head",
    "api.post",
    "api.put",
    "api.patch",
    "api.delete",
    "models.Request",
    "models.Request.prepare",
    "models.PreparedRequest.prepare",
    "models.PreparedRequest.prepare_url",
    "models.PreparedRequest.prepare_body",
    "models.PreparedRequest.prepare_auth",
    "models.PreparedRequest.copy",
    "models.Response.iter_content",
    "models.Response.iter_lines",
    "sessions.Session.request",
    "sessions.Session.get",
    "sessions.Session.post",
    "sessions.Session.put",
    "sessions.Session.patch",
    "sessions.Session.send",
    "sessions.Session.mount",
    "sessions.Session.get_adapter",
    "sessions.Session.prepare_request",
    "sessions.Session.merge_environment_settings",
    "sessions.Session.rebuild_auth",
    "sessions.Session.rebuild_method",
    "sessions.Session.rebuild_proxies",
    "sessions.Session.resolve_redirects",
    "sessions.Session.should_strip_auth",
    "sessions.Session.get_redirect_target",
    "adapters.HTTPAdapter",
    "adapters.HTTPAdapter.send",
    "adapters.HTTPAdapter.init_poolmanager",
    "adapters.HTTPAdapter.build_response",
    "adapters.HTTPAdapter.add_headers",
    "adapters.HTTPAdapter.proxy_headers",
    "adapters.HTTPAdapter.request_url",
    "adapters.HTTPAdapter.cert_verify",
    "adapters.BaseAdapter.send",
    "auth.HTTPBasicAuth",
    "auth.HTTPDigestAuth",
    "auth.HTTPDigestAuth.build_digest_header",
    "auth.HTTPDigestAuth.handle_401",
    "hooks.dispatch_hook",
    "cookies.RequestsCookieJar.get",
    "cookies.RequestsCookieJar.set",
    "cookies.RequestsCookieJar.get_dict",
    "cookies.create_cookie",
    "cookies.cookiejar_from_dict",
    "cookies.merge_cookies",
    "cookies.remove_cookie_by_name",
    "cookies.extract_cookies_to_jar",
    "cookies.get_cookie_header",
    "utils.get_netrc_auth",
    "utils.should_bypass_proxies",
    "utils.get_environ_proxies",
    "utils.select_proxy",
    "utils.resolve_proxies",
    "utils.super_len",
    "utils.unquote_header_value",
    "utils.default_user_agent",
    "utils.iter_slices",
    "utils.atomic_open",
    "utils.set_environ",
    "sessions.merge_setting",
    "sessions.merge_hooks",
]


def _parameters(root: ModuleType, path: str) -> list[str]:
    module, _, rest = path.partition(".")
    found = importlib.import_module(f"{root.__name__}.{module}")
    for name in rest.split("."):
        found = getattr(found, name)
    return [
        parameter.name
        for parameter in inspect.signature(found).parameters.values()
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)
    ]


@pytest.mark.parametrize("path", CALLABLES)
def test_arguments_have_the_same_names_and_order(path: str) -> None:
    """A program may pass any of them by name or by place; ours may have more, as keywords."""
    theirs, ours = _parameters(theirs_whole, path), _parameters(requests, path)
    names = [name for name in theirs if name not in ("kwargs", "args")]
    assert names == [name for name in ours if name not in ("kwargs", "args")][: len(names)]


def test_classes_are_one() -> None:
    """What crawlkit gives is what the skin names: isinstance() and except work across both."""
    import crawlkit
    from crawlkit import exceptions

    assert (crawlkit.Session, crawlkit.Response, exceptions.HTTPError) == (
        requests.Session,
        requests.Response,
        requests.HTTPError,
    )
    assert issubclass(requests.adapters.HTTPAdapter, requests.adapters.BaseAdapter)
    assert crawlkit.Request is not requests.Request


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        (name, [base.__name__ for base in kind.__mro__ if base.__module__ in ("requests.exceptions", "builtins")])
        for name, kind in vars(theirs_whole.exceptions).items()
        if isinstance(kind, type) and kind.__module__ == "requests.exceptions"
    ],
)
def test_exceptions_are_caught_by_the_same_names(name: str, bases: list[str]) -> None:
    """Each is a subclass of what it is with requests."""
    ours = {base.__name__ for base in getattr(requests.exceptions, name).__mro__}
    assert set(bases) <= ours


def test_the_packages_of_old_are_the_very_modules() -> None:
    """`requests.packages.urllib3.…` is urllib3, however it is imported."""
    import urllib3.util.retry

    from crawlkit.requests.packages.urllib3.util.retry import Retry

    assert Retry is urllib3.util.retry.Retry
    assert requests.packages.urllib3 is urllib3
    assert requests.packages.chardet is requests.compat.chardet
    with pytest.raises(AttributeError, match="simplejson"):
        _ = requests.packages.simplejson


def test_help_says_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """Versions of what an exchange passes through, as JSON."""
    requests_help = importlib.import_module("crawlkit.requests.help")
    info = requests_help.info()
    assert set(importlib.import_module("requests.help").info()) <= set(info)
    assert info["urllib3"]["version"] == importlib.import_module("urllib3").__version__
    requests_help.main()
    assert '"crawlkit"' in capsys.readouterr().out


def test_requests_itself_is_never_imported() -> None:
    """It is a dependency of the tests alone."""
    code = "import sys; from crawlkit import requests; sys.exit('requests' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


@pytest.mark.parametrize("name", ["requests.Request", "requests.codes.not_found", "exceptions.Timeout"])
def test_modules_are_attributes_of_crawlkit(name: str) -> None:
    """`import crawlkit` is enough to name them; they load when they are named."""
    subprocess.run([sys.executable, "-c", f"import crawlkit; crawlkit.{name}"], check=True)


@pytest.mark.parametrize(
    "name", sorted(name for name in public(theirs_whole.exceptions) if name in vars(requests.exceptions))
)
def test_exceptions_derive_from_what_those_of_requests_derive_from(name: str) -> None:
    """So that each `except` that catches requests' catches ours; ours have their own root beside, and nothing else."""

    def bases(kind: type) -> list[str]:
        return [base.__name__ for base in kind.__mro__ if base.__name__ != "CrawlkitError"]

    assert bases(getattr(theirs_whole.exceptions, name)) == bases(getattr(requests.exceptions, name))


def test_the_names_of_status_codes_are_those_of_requests() -> None:
    """betamax reads them in `_codes`; the first of each, which is a reason, is the one that means this code here."""
    theirs, ours = theirs_whole.status_codes._codes, requests.status_codes._codes
    assert set() == set(theirs) - set(ours)
    first = {code: requests.codes[names[0]] for code, names in theirs.items() if names[0] != "uri_too_long"}
    assert {code: code for code in first} == first
    assert all(requests.codes[names[0]] == code for code, names in ours.items())


def test_exceptions_do_not_load_urllib3() -> None:
    """The one that is also urllib3's is made when it is asked for."""
    code = (
        "import sys, crawlkit.exceptions; assert 'urllib3' not in sys.modules; crawlkit.exceptions.ContentDecodingError"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_body_that_cannot_be_decoded_is_caught_as_urllib3s_error() -> None:
    """Read whole and read as a stream; and it survives a pickle."""
    with HostileServer() as server, requests.Session() as session:
        url = server.play("/", [answer(body=b"no gzip", headers=[("Content-Encoding", "gzip")])])
        with pytest.raises(urllib3.exceptions.HTTPError) as caught:
            session.get(url)
        assert type(caught.value) is requests.exceptions.ContentDecodingError
        with session.get(url, stream=True) as response, pytest.raises(requests.exceptions.ContentDecodingError):
            list(response.iter_content(10))
    again = pickle.loads(pickle.dumps(requests.exceptions.ContentDecodingError("x", request="r")))  # noqa: S301 - our own
    assert ("x", "r") == (str(again), again.request)
    with pytest.raises(AttributeError, match="NoSuchError"):
        _ = crawlkit.exceptions.NoSuchError
