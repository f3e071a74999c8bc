"""Form: what a browser would send for a form of a page, with some of its fields filled in.

What belongs here: filling in, choosing the button, where it goes and how. What does not: finding the form (forms.py),
reading its controls (fields.py), encoding (formdata.py), sending (Session.submit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit import url as urls
from crawlkit.exceptions import FormError
from crawlkit.sessions import buttons
from crawlkit.sessions.confiding import tell_fields
from crawlkit.sessions.fields import Control, controls_of
from crawlkit.sessions.formdata import (
    MULTIPART,
    PLAIN,
    URLENCODED,
    Entry,
    FileValue,
    encode_entries,
    encoding_of,
    file_value,
    urlencoded,
)
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.request import Request


class Payload(NamedTuple):
    """A form as it is sent."""

    method: str
    url: str
    headers: dict[str, str]
    """Content-Type of a body, and the Referer: without one, a Django site refuses forms over https."""
    body: bytes | None

    def __repr__(self) -> str:
        return f"<Payload {self.method} {shown(self.url.partition('?')[0])} of {len(self.body or b'')} bytes>"


class Form:
    """One form of a page, with what its fields hold. A value: reading it needs the page no more, from any thread.

    `action` is the absolute URL it goes to (None when the page's is no URL), `method` "GET" or "POST", `enctype` how
    its body is written, `url` the page it is on. Neither repr nor errors tell what the fields hold.
    """

    def __init__(self, node: LexborNode, url: str, *, base_url: str | None = None, encoding: str | None = None) -> None:
        attributes = {name: value or "" for name, value in node.attributes.items()}
        self.url = url
        self.name = attributes.get("name", "")
        self.id = attributes.get("id", "")
        self.controls = controls_of(node)
        self.encoding = encoding_of(attributes.get("accept-charset"), encoding, node.parser)
        self._base = base_url if base_url is not None else _base_url(node.parser, url)
        self.action = self._target(attributes.get("action"))
        self.method = _method(attributes.get("method"))
        self.enctype = _enctype(attributes.get("enctype"))
        self.learn: Callable[..., None] | None = None  # the session's redactor's, told what is sent

    @classmethod
    def from_node(cls, node: LexborNode, url: str, *, base_url: str | None = None, encoding: str | None = None) -> Form:
        """The form of a `<form>` node on the page `url`.

        `base_url`: what its action is relative to; None: the page's `<base href>`, else `url`. `encoding`: the page's;
        None: what its `<meta>` says, else UTF-8.
        """
        return cls(node, url, base_url=base_url, encoding=encoding)

    # --- what it holds ------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, str | list[str]]:
        """What the form sends when nothing is filled in and its first button is pressed: name → value.

        In the order of the page; a name that is sent several times has a list.
        """
        found: dict[str, Any] = {}
        for name, value in self._entries({}, buttons.choose(self.buttons, None, self.url)):
            text = value if isinstance(value, str) else value.filename
            if name not in found:
                found[name] = text
            elif isinstance(found[name], list):
                found[name].append(text)
            else:
                found[name] = [found[name], text]
        return found

    def names(self) -> list[str]:
        """The names of all fields, in the order of the page, each once."""
        return list(dict.fromkeys(control.name for control in self.controls if control.name))

    @property
    def buttons(self) -> list[Control]:
        """The buttons that send the form."""
        return [control for control in self.controls if control.submits]

    @property
    def has_password(self) -> bool:
        """Whether a password is asked for."""
        return any(control.kind == "password" for control in self.controls)

    def describe(self) -> str:
        """How error messages name this form: its id, name, action, and the names of its fields."""
        what = f"#{self.id}" if self.id else f"name={self.name!r}" if self.name else "without id or name"
        fields = ", ".join(self.names()) or "no fields"
        return f"form {what} to {shown(self.action) if self.action else 'no URL'} ({fields})"

    def __repr__(self) -> str:
        return f"<{self.method} {self.describe()}>"

    # --- sending ------------------------------------------------------------------------------------------------------

    def payload(
        self,
        data: Any = None,
        *,
        click: Any = None,
        extra: bool = False,
        url: str | None = None,
        method: str | None = None,
    ) -> Payload:
        """What is sent with `data` filled in.

        `data`: name → value (mapping or pairs). A list sends its name several times, None leaves the field out, True
        and False check a box; of a choice, the label serves for the value. A file is bytes, an open file, a Path or
        (file name, content[, type]). A name that the form does not have is a FormError unless `extra`.
        `click`: the button to press, by name, id, text, value, node or a mapping of its attributes ("nr" counts from
        0); None: the first; False: none. `url` and `method` replace the form's.
        """
        button = buttons.choose(self.buttons, click, self.url)
        given = _given(data)
        if not extra:
            self._check_names(given)
        entries = self._entries(given, button)
        if self.learn is not None:
            tell_fields(self.controls, entries, self.learn)
        target = url or self._submit_url(button)
        attributes = button.attributes if button is not None else {}
        own = _method(attributes["formmethod"]) if "formmethod" in attributes else self.method
        method = method.upper() if method else own
        if method == "DIALOG":
            raise FormError(f"the {self.describe()} on {shown(self.url)} closes a dialog and sends nothing")
        target = target.partition("#")[0]
        headers = self._referer(target)
        if method == "GET":
            query = urlencoded(entries, self.encoding)
            target = target.partition("?")[0]
            return Payload(method, f"{target}?{query}" if query else target, headers, None)
        enctype = _enctype(attributes["formenctype"]) if "formenctype" in attributes else self.enctype
        body, headers["Content-Type"] = encode_entries(entries, enctype, self.encoding)
        return Payload(method, target, headers, body)

    def request(
        self,
        data: Any = None,
        *,
        click: Any = None,
        callback: Any = None,
        extra: bool = False,
        url: str | None = None,
        method: str | None = None,
        cls: type[Request] = Request,
        **kwargs: Any,
    ) -> Request:
        """The spider's Request that sends the form; arguments as of `payload()`, `kwargs` as of Request."""
        sent = self.payload(data, click=click, extra=extra, url=url, method=method)
        given = kwargs.pop("headers", None) or {}
        overridden = {name.lower() for name in given}
        headers = {name: value for name, value in sent.headers.items() if name.lower() not in overridden}
        if sent.method == "GET":
            kwargs.setdefault("safe", True)  # who fills in a form wants it sent, whatever tokens the page put into it
        return cls(sent.url, callback, sent.method, headers={**headers, **given}, body=sent.body or b"", **kwargs)

    # --- the entry list -----------------------------------------------------------------------------------------------

    def _entries(self, given: Mapping[str, Any], button: Control | None) -> list[Entry]:
        """The fields that are sent, in the order of the page; what the form does not have comes last."""
        entries: list[Entry] = []
        placed: set[str] = set()
        for control in self.controls:
            name = control.name
            if name in given:
                if name not in placed:
                    placed.add(name)
                    entries += self._filled(name, given[name])
            elif control is button:
                entries += buttons.pressed(control)
            elif name and not control.disabled:
                entries += self._initial(control)
        for name, value in given.items():
            if name not in placed:
                entries += self._filled(name, value)
        return entries

    def _initial(self, control: Control) -> list[Entry]:
        if control.kind == "file":
            return [(control.name, FileValue("", b"", "application/octet-stream"))]
        if control.kind == "hidden" and control.name.lower() == "_charset_":
            return [(control.name, self.encoding)]
        entries: list[Entry] = [(control.name, value) for value in control.values]
        if direction := control.attributes.get("dirname"):
            entries.append((direction, "ltr"))
        return entries

    def _filled(self, name: str, value: Any) -> list[Entry]:
        """What a field sends of the value that the author gave."""
        named = [control for control in self.controls if control.name == name]
        files = any(control.kind == "file" for control in named)
        if value is None:
            return []
        if isinstance(value, (list, set, frozenset, range)) or (isinstance(value, tuple) and not files):
            return [entry for each in value for entry in self._filled(name, each)]
        if files or isinstance(value, (Path, FileValue)) or hasattr(value, "read"):
            return [(name, file_value(name, value))]
        if isinstance(value, bool):
            boxes = [control for control in named if control.kind in ("checkbox", "radio")]
            if not boxes:
                raise TypeError(f"{value} for the field {name!r} of {shown(self.url)}, which is no checkbox: give text")
            return [(name, boxes[0].value)] if value else []
        text = value.decode(self.encoding, "replace") if isinstance(value, bytes) else str(value)
        options = [option for control in named for option in control.options]
        if options and all(option.value != text for option in options):
            text = next((option.value for option in options if option.label == text), text)
        return [(name, text)]

    def _check_names(self, given: Mapping[str, Any]) -> None:
        names = self.names()
        missing = [name for name in given if name not in names]
        if not missing:
            return
        near = get_close_matches(missing[0], names, 1)
        raise FormError(
            f"the form on {shown(self.url)} has no field {missing[0]!r}; it has: {', '.join(names) or 'none'}"
            + (f" (did you mean {near[0]!r}?)" if near else " (extra=True sends it all the same)")
        )

    # --- URLs ---------------------------------------------------------------------------------------------------------

    def _target(self, action: str | None) -> str | None:
        """The URL of an action attribute; one that is empty or missing means the page itself, whatever its base."""
        action = (action or "").strip(" \t\n\f\r")
        return urls.join(self._base, action) if action else self.url

    def _submit_url(self, button: Control | None) -> str:
        target = self.action
        if button is not None and "formaction" in button.attributes:
            target = self._target(button.attributes["formaction"])
        if target is None or not urls.has_scheme(target):
            where = repr(target.partition(":")[0] + ":") if target else "no URL"
            raise FormError(
                f"the form on {shown(self.url)} goes to {where}, not to http(s): a script sends it; give url="
            )
        return target

    def _referer(self, target: str) -> dict[str, str]:
        """The page, without its query, to its own origin; nothing but its origin to another."""
        try:
            origin, same = urls.origin(self.url), urls.origin(target) == urls.origin(self.url)
        except ValueError:
            return {}
        if origin.scheme not in urls.DEFAULT_PORTS or (origin.scheme == "https" and not target.startswith("https")):
            return {}
        path = self.url.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2] if same else ""
        return {"Referer": f"{origin}/{path}"}


def _given(data: Any) -> dict[str, Any]:
    """What the author filled in, by name; of pairs, those of one name together."""
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return dict(data)
    found: dict[str, Any] = {}
    for name, value in data:
        found[name] = [*found[name], value] if name in found else [value]
    return found


def _method(given: str | None) -> str:
    method = (given or "").strip().upper()
    return method if method in ("POST", "DIALOG") else "GET"


def _enctype(given: str | None) -> str:
    enctype = (given or "").strip().lower()
    return enctype if enctype in (MULTIPART, PLAIN) else URLENCODED


def _base_url(parser: LexborHTMLParser, url: str) -> str:
    node = parser.css_first("base[href]")
    href = (node.attributes.get("href") or "").strip() if node is not None else ""
    joined = urls.join(url, href) if href else None
    return joined if joined is not None and urls.has_scheme(joined) else url
