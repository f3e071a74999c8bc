"""Charts: small pictures in SVG that a page holds itself.

Shapes only: words stand beside them in HTML, where they keep their size on a phone.

What belongs here: turning numbers into shapes. What does not: which numbers (report_page.py), colours (style_sheet.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from crawlkit.cli.markup import escaped

_HEIGHT = 100


def columns(values: Sequence[float], worse: Sequence[float] = (), *, label: str, kind: str = "chart") -> str:
    """A column for each value; `worse` is the part of each that is shown as bad. `label` says it to who cannot see."""
    if not values:
        return ""
    most = max(*values, 1e-9) if len(values) > 1 else max(values[0], 1e-9)
    shapes = []
    for place, value in enumerate(values):
        height = _HEIGHT * value / most
        last = ' class="bar last"' if place == len(values) - 1 else ' class="bar"'
        shapes.append(_rectangle(place * 10 + 1, height, last))
        if place < len(worse) and worse[place]:
            shapes.append(_rectangle(place * 10 + 1, max(_HEIGHT * worse[place] / most, 2.0), ' class="bar-bad"'))
    return (
        f'<svg class="{kind}" viewBox="0 0 {len(values) * 10} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escaped(label)}">{"".join(shapes)}</svg>'
    )


def _rectangle(left: float, height: float, kind: str) -> str:
    return f'<rect{kind} x="{left}" y="{_HEIGHT - height:.1f}" width="8" height="{height:.1f}"/>'


def meter(share: float, *, bad: bool = False) -> str:
    """How much of a whole, from 0 to 1."""
    width = 100 * min(max(share, 0.0), 1.0)
    kind = "bar-bad" if bad else "bar"
    return (
        f'<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{100 * share:.0f} %">'
        f'<rect class="track" width="100" height="6"/><rect class="{kind}" width="{width:.1f}" height="6"/></svg>'
    )
