"""Forms: finding a form of a page, and Scrapy's FormRequest.

What belongs here: which form of a page is meant, requests made of forms under Scrapy's names. What does not: the form
itself (form.py), its controls (fields.py), its encodings (formdata.py).
"""

from __future__ import annotations

from typing import Any, Self

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit.exceptions import FormError
from crawlkit.html.selectors import Selector
from crawlkit.sessions.fields import owner_of
from crawlkit.sessions.form import Form, Payload
from crawlkit.sessions.formdata import URLENCODED, urlencoded
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.request import Request

__all__ = ["Form", "FormRequest", "Payload", "find_form"]


def find_form(
    tree: LexborHTMLParser | LexborNode | Selector,
    url: str,
    *,
    css: str | None = None,
    name: str | None = None,
    id: str | None = None,
    number: int | None = None,
    xpath: str | None = None,
    base_url: str | None = None,
    encoding: str | None = None,
) -> Form:
    """One form of the page `url`, by a selector (of the form or of something in it), name, id or place (from 0).

    Without any of these: the only form, else the only one that asks for a password. Raises FormError, which names the
    forms that there are, when there is none, or when it is not clear which.
    """
    top = tree if isinstance(tree, Selector) else Selector(root=tree)
    nodes = top.css("form").nodes
    query = next((given for given in (css, xpath) if given is not None), None)
    if query is not None:
        hit = (top.css(query) if css is not None else top.xpath(query)).nodes
        chosen = [form for form in map(owner_of, hit) if form is not None][:1]
    elif number is not None:
        chosen = [nodes[number]] if -len(nodes) <= number < len(nodes) else []
    elif name is not None or id is not None:
        chosen = [
            node
            for node in nodes
            if (name is None or node.attributes.get("name") == name) and (id is None or node.attributes.get("id") == id)
        ][:1]
    else:
        chosen = nodes
    forms = [Form.from_node(node, url, base_url=base_url, encoding=encoding) for node in chosen]
    if len(forms) > 1:
        forms = [form for form in forms if form.has_password]
    if len(forms) == 1:
        return forms[0]
    wanted = {"css": css, "xpath": xpath, "name": name, "id": id, "number": number}
    raise FormError(_which(url, nodes, {key: value for key, value in wanted.items() if value is not None}))


def _which(url: str, nodes: list[LexborNode], wanted: dict[str, Any]) -> str:
    if not nodes:
        return f"there is no form on {shown(url)}"
    there = "; ".join(f"{place}: {Form.from_node(node, url).describe()}" for place, node in enumerate(nodes))
    if not wanted:
        return f"several forms are on {shown(url)}, say which: {there}"
    asked = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    return f"no form with {asked} is on {shown(url)}; there are: {there}"


class FormRequest(Request):
    """Scrapy's request of form fields: `formdata` (mapping or pairs) becomes the body of a POST, or the query of a GET.

    The method is POST where none is given. Other arguments are Request's.
    """

    __slots__ = ()

    def __init__(self, url: str, callback: Any = None, method: str | None = None, *args: Any, **kwargs: Any) -> None:
        formdata = kwargs.pop("formdata", None)
        if formdata and method is None:
            method = "POST"
        super().__init__(url, callback, method, *args, **kwargs)
        if not formdata:
            return
        query = urlencoded(_pairs(formdata), self.encoding)
        if self.method == "POST":
            self.headers.setdefault("Content-Type", URLENCODED)
            self.body = query.encode("ascii")
        else:
            self.url = self.url.partition("#")[0].partition("?")[0] + (f"?{query}" if query else "")

    @classmethod
    def from_response(
        cls,
        response: Any,
        formname: str | None = None,
        formid: str | None = None,
        formnumber: int | None = None,
        formdata: Any = None,
        clickdata: Any = None,
        dont_click: bool = False,
        formxpath: str | None = None,
        formcss: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """The request that sends a form of `response`, with `formdata` on top of what its fields hold.

        A value of None leaves a field out; names that the form does not have are sent as well. `clickdata`: a mapping
        of the button's attributes, "nr" counting from 0; the first button is pressed unless `dont_click`. Without a
        hint the first form is taken. `url`, `method` and the rest are Request's. Raises FormError, which names the
        forms or buttons there are; unlike Scrapy also when `formname` or `formid` is not there.
        """
        form = find_form(
            response.selector,
            response.url,
            name=formname,
            id=formid,
            css=formcss,
            xpath=formxpath,
            number=_number(formname, formid, formcss, formxpath, formnumber),
            encoding=kwargs.get("encoding") or response.encoding,
        )
        form.learn = getattr(response, "_learn", None)
        made = form.request(
            formdata,
            click=False if dont_click else clickdata,
            extra=True,
            cls=cls,
            **kwargs,
        )
        return made  # type: ignore[return-value]


def _number(*given: Any) -> int | None:
    *hints, number = given
    if any(hint is not None for hint in hints):
        return None
    return 0 if number is None else int(number)


def _pairs(data: Any) -> list[tuple[str, Any]]:
    pairs = data.items() if hasattr(data, "items") else data
    found: list[tuple[str, Any]] = []
    for name, value in pairs:
        many = value if isinstance(value, (list, tuple, set)) else (value,)
        found += [(str(name), each if isinstance(each, str) else _text(each)) for each in many if each is not None]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
