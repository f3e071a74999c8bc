"""What of a URL is harmless to tell."""

from __future__ import annotations

import pytest

from crawlkit.archive.naming import harmless


@pytest.mark.parametrize(
    "path",
    [
        "guide/intro.html",
        "2024-10-12-a-b-release-of-x",
        "MyGreatDocumentationPages",
        "wiki/Special:RecentChanges",
        "questions/123456789012/why",
        "postgresql-16.4-documentation",
        "pneumonoultramicroscopicsilicovolcanoconiosis",
        "b%C3%BCcher",
    ],
)
def test_words_and_numbers_are_told(path: str) -> None:
    assert f"a.example:8000/{path}" == harmless(f"https://a.example:8000/{path}")


@pytest.mark.parametrize(
    "token",
    [
        "Zk3vQ9xT7mLp2RwB8nYc",
        "qwhzkxjvbnmprtlsdfgh",
        "fd8d8971b6eed7f5",
        "dd8131348423e45d30dc378ec6687e49",
        "uncA_GJ6Azflilac_S6lzu7T",
        "67401f5f-bfa5-4d33-a67c-c906a4c27727",
        "ambi4447gdrrfcu73ds47qum",
        "48207316650921847365",
        "TKRWQZLMHDCXBNVPFGJS",
    ],
)
def test_what_was_drawn_at_random_is_not(token: str) -> None:
    assert "a.example/share/index.html" == harmless(f"https://a.example/share/{token}/index.html")


@pytest.mark.parametrize("rest", ["?token=1", "x?y/z", "x;jsessionid=1/y", "?/"])
def test_a_query_is_not(rest: str) -> None:
    """Nor user and password, nor what a segment says after a semicolon."""
    assert "a.example/docs" == harmless(f"https://user:word@a.example/docs/{rest}").removesuffix("/x")
