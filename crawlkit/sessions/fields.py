"""Fields: the controls of a form as they stand on the page, and what each of them would send.

What belongs here: which controls a form owns, which of them count, their values at the start (HTML standard, 4.10.21.4
"constructing the entry list", 4.10.19.5 for disabled ones). What does not: filling in (form.py), pressing (buttons.py),
encoding (formdata.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

_CONTROLS = "input, select, textarea, button"
_BUTTON_TYPES = frozenset(("submit", "image", "reset", "button"))
_ONE_LINE = frozenset(("text", "search", "tel", "url", "email", "password", "number"))
_INPUT_TYPES = (
    _BUTTON_TYPES
    | _ONE_LINE
    | frozenset(("hidden", "date", "month", "week", "time", "datetime-local", "range", "color"))
    | frozenset(("checkbox", "radio", "file"))
)
_TABLE_TAGS = frozenset(("table", "thead", "tbody", "tfoot", "tr"))
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SPACES = re.compile(r"[ \t\n\f\r]+")


@dataclass(frozen=True, slots=True)
class Option:
    """One `<option>`: what it sends and what the reader sees."""

    value: str
    label: str
    disabled: bool = False


@dataclass(slots=True, repr=False)
class Control:
    """One control. Its repr tells no values: they are passwords and tokens."""

    name: str
    kind: str
    """The type of an input or button; "select", "select-multiple" or "textarea"."""
    values: list[str]
    """What it sends at the start; nothing when it is unchecked, or a button."""
    value: str = ""
    """What it sends when it is checked or pressed."""
    disabled: bool = False
    options: list[Option] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    label: str = ""
    """The text on a button."""
    mem_id: int = 0
    """Which node of the page it is."""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name!r}>"

    @property
    def submits(self) -> bool:
        """Whether pressing it sends the form."""
        return self.kind in ("submit", "image")


def controls_of(form: LexborNode) -> list[Control]:
    """The controls that `form` owns, in tree order, those outside of it with a `form=` attribute included."""
    ids: dict[str | None, int] = {}
    for owner in form.parser.css("form[id]"):
        ids.setdefault(owner.attributes["id"], owner.mem_id)
    orphaned = _reaches_beyond(form)
    found = []
    for node in form.parser.css(_CONTROLS):
        owner_id, disabled, offered = _surroundings(node)
        if offered:
            continue  # in a <datalist>
        named = node.attributes.get("form")
        if named is not None:
            owner_id = ids.get(named)
        elif owner_id is None and orphaned is not None and _is_after(form, node, orphaned):
            owner_id = form.mem_id
        if owner_id == form.mem_id:
            found.append(_control(node, disabled))
    _settle_radios(found)
    return found


def owner_of(node: LexborNode) -> LexborNode | None:
    """The form that an element belongs to: itself, one around it, or the one that its `form=` names."""
    if node.tag != "form" and (named := node.attributes.get("form")) is not None:
        return next((form for form in node.parser.css("form[id]") if form.attributes["id"] == named), None)
    above: LexborNode | None = node
    while above is not None and above.tag != "form":
        above = above.parent
    return above


def _surroundings(node: LexborNode) -> tuple[int | None, bool, bool]:
    """The form around a control, whether something disables it, and whether it is a mere suggestion."""
    disabled = "disabled" in node.attributes
    inner, above = node, node.parent
    legend: LexborNode | None = None  # the outermost <legend> so far, seen from the fieldset above it
    owner = None
    while above is not None:
        tag = above.tag
        if tag == "datalist":
            return None, disabled, True
        if tag == "form" and owner is None:
            owner = above.mem_id
        if tag == "fieldset" and "disabled" in above.attributes:
            legend = next((child for child in above.iter() if child.tag == "legend"), None)
            disabled = disabled or legend is None or legend.mem_id != inner.mem_id
        inner, above = above, above.parent
    return owner, disabled, False


def _reaches_beyond(form: LexborNode) -> LexborNode | None:
    """The table in which a form that the parser closed at once still owns what follows.

    `<table><form><tr>…` is usual on old pages. The standard's parser puts the form into the table, empty, and remembers
    it as the owner of the controls that come; the tree no longer shows it.
    """
    parent = form.parent
    if form.first_child is not None or parent is None or parent.tag not in _TABLE_TAGS:
        return None
    table: LexborNode | None = parent
    while table is not None and table.tag != "table":
        table = table.parent
    return table


def _is_after(form: LexborNode, node: LexborNode, table: LexborNode) -> bool:
    """Whether `node` stands in `table` behind `form`, with no other form between."""
    last = None
    for each in table.traverse():
        if each.tag == "form":
            last = each.mem_id
        elif each.mem_id == node.mem_id:
            return last == form.mem_id
    return False


# --- one control ------------------------------------------------------------------------------------------------------


def _control(node: LexborNode, disabled: bool) -> Control:
    attributes = {name: value or "" for name, value in node.attributes.items()}
    name = attributes.get("name", "")
    kind = (attributes.get("type") or "").strip().lower()
    if node.tag == "select":
        control = _select(node, name, "multiple" in attributes)
    elif node.tag == "textarea":
        control = Control(name, "textarea", [node.text()])
    elif node.tag == "button":
        kind = kind if kind in ("reset", "button") else "submit"
        control = Control(name, kind, [], attributes.get("value", ""), label=_plain(node.text()))
    else:
        kind = kind if kind in _INPUT_TYPES else "text"
        control = _input(name, kind, attributes)
    control.disabled = disabled
    control.attributes = attributes
    control.mem_id = node.mem_id
    return control


def _input(name: str, kind: str, attributes: dict[str, str]) -> Control:
    value = attributes.get("value")
    if kind in _BUTTON_TYPES:
        return Control(name, kind, [], value or "", label=value or attributes.get("alt", ""))
    if kind in ("checkbox", "radio"):
        value = "on" if value is None else value
        return Control(name, kind, [value] if "checked" in attributes else [], value)
    if kind == "file":
        return Control(name, kind, [""])
    return Control(name, kind, [_sanitized(kind, value or "", attributes)])


def _sanitized(kind: str, value: str, attributes: dict[str, str]) -> str:
    """The value that a browser makes of the attribute ("value sanitization algorithm")."""
    if kind in _ONE_LINE:
        value = value.replace("\r", "").replace("\n", "")
    if kind in ("url", "email"):
        return value.strip(" \t\n\f\r")
    if kind == "number":
        return value if _number(value) is not None else ""
    if kind == "color":
        return value.lower() if _COLOR.fullmatch(value) else "#000000"
    if kind == "range":
        low, high = _number(attributes.get("min", "")), _number(attributes.get("max", ""))
        low, high = 0.0 if low is None else low, 100.0 if high is None else high
        chosen = _number(value)
        if chosen is None:
            return f"{low + max(0.0, high - low) / 2:g}"
        return value if low <= chosen <= high else f"{min(max(chosen, low), max(high, low)):g}"
    return value


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?", text, re.ASCII) else None


def _select(node: LexborNode, name: str, multiple: bool) -> Control:
    options: list[Option] = []
    chosen: list[Option] = []
    for each in node.css("option"):
        attributes = each.attributes
        label = _plain(each.text())
        parent = each.parent
        grouped = parent is not None and parent.tag == "optgroup" and "disabled" in parent.attributes
        value = attributes["value"] or "" if "value" in attributes else label
        option = Option(value, label, grouped or "disabled" in attributes)
        options.append(option)
        if "selected" in attributes:
            chosen.append(option)
    if not multiple:
        # Of several the last one counts; without any, a drop-down shows its first, a list box none.
        chosen = chosen[-1:]
        rows = (node.attributes.get("size") or "").strip()
        if not chosen and not (rows.isdecimal() and int(rows) > 1):
            chosen = [option for option in options if not option.disabled][:1]
    values = [option.value for option in chosen if not option.disabled]
    return Control(name, "select-multiple" if multiple else "select", values, options=options)


def _settle_radios(controls: list[Control]) -> None:
    """Of the radio buttons of one name, the last that is checked is."""
    checked: dict[str, Control] = {}
    for control in controls:
        if control.kind == "radio" and control.values and control.name:
            before = checked.get(control.name)
            if before is not None:
                before.values = []
            checked[control.name] = control


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" ")
