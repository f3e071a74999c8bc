"""Links: the `Link` header of an answer (RFC 8288). The links of a page are read in page.py."""

from __future__ import annotations

import re

_LINK = re.compile(r"""\s*(?:<([^>]*)>|([^<;,]+))""")
_LINK_PARAM = re.compile(r"""\s*;\s*([^\s=;,]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?""")


def parse_header_links(value: str) -> list[dict[str, str]]:
    """The links of a `Link` header (RFC 8288): one dict each, `url` and the parameters.

    A comma or semicolon within `<...>` or quotes is part of it.
    """
    links: list[dict[str, str]] = []
    at, end = 0, len(value)
    while at < end:
        found = _LINK.match(value, at)
        if not found:
            at += 1
            continue
        at = found.end()
        target = found[1] if found[1] is not None else found[2]
        link = {"url": target.strip(" <>'\"")}
        while at < end and (param := _LINK_PARAM.match(value, at)):
            at = param.end()
            if param[1] and param[2] is not None:
                link[param[1].strip("'\"")] = param[2].strip(" '\"")
        if link["url"]:
            links.append(link)
    return links
