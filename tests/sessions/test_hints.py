"""Type hints can be read at run time, as attrs, pydantic and requests-cache do with the classes that they derive from."""

from __future__ import annotations

import subprocess
import sys
import typing
from typing import Any

import pytest

import crawlkit
from crawlkit import requests

CLASSES = [
    crawlkit.Response,
    crawlkit.Session,
    crawlkit.Request,
    crawlkit.Spider,
    crawlkit.Failure,
    crawlkit.Form,
    crawlkit.FormLogin,
    crawlkit.TokenLogin,
    crawlkit.BasicLogin,
    crawlkit.CookieLogin,
    crawlkit.RetryPolicy,
    requests.Request,
    requests.PreparedRequest,
    requests.adapters.HTTPAdapter,
    requests.auth.HTTPDigestAuth,
    requests.cookies.RequestsCookieJar,
    requests.structures.CaseInsensitiveDict,
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__qualname__)
def test_hints_of_a_class_and_of_its_methods(kind: type[Any]) -> None:
    """Every name that they mention is there in the module that mentions it."""
    typing.get_type_hints(kind)
    for base in kind.__mro__:
        if base.__module__.startswith("crawlkit."):
            for member in vars(base).values():
                function = member.fget if isinstance(member, property) else member
                if callable(function) and hasattr(function, "__annotations__"):
                    typing.get_type_hints(function)


@pytest.mark.parametrize("name", ["Response", "Session", "requests.PreparedRequest"])
def test_hints_of_what_was_imported_first(name: str) -> None:
    """Whatever else is loaded by then."""
    code = f"import typing, crawlkit; typing.get_type_hints(crawlkit.{name})"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_hints_name_the_classes() -> None:
    """Not everything is Any: what a method gives can be read off it."""
    assert crawlkit.Response is typing.get_type_hints(crawlkit.Session.get)["return"]
    assert requests.PreparedRequest is typing.get_type_hints(crawlkit.Session.send)["request"]
