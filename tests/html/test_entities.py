"""Character references, in text of any origin."""

from __future__ import annotations

import html

import pytest

from crawlkit.html.entities import unescaped


@pytest.mark.parametrize(
    "text", ["a", "&amp;&lt;&copy", "&#65;&#x41", "&#000000000065;", "&#xD800;", "&notit; &;&#;", "&#x" + "f" * 9000]
)
def test_references_are_undone_as_the_standard_has_it(text: str) -> None:
    assert html.unescape(text) == unescaped(text)


def test_a_number_of_thousands_of_digits_is_no_character() -> None:
    """Python refuses to read it."""
    assert "a\ufffdb" == unescaped(f"a&#{'9' * 5000};b")
    assert "A" == unescaped(f"&#{'0' * 5000}65;")
