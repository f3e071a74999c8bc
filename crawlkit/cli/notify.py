"""Notify: hands an object to a command, on its standard input, or to a webhook, as a POST of JSON.

What belongs here: `--notify`, and the webhook. What does not: what is handed over; starting a command (handover.py); the
alarm of a failed run (alarm.py).

The webhook is whoever's who typed it: it may be at a private address. A redirect is not followed, and counts as failure: it
would take the message to an address that nobody typed. The address of a webhook is a secret: only its host is told.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from crawlkit.cli.handover import NotTaken, hand_over, words_of
from crawlkit.cli.json_line import line_text
from crawlkit.cli.options import require_url
from crawlkit.cli.terminal import complain
from crawlkit.exceptions import RequestException, UsageError
from crawlkit.url import has_scheme, origin

_TIMEOUT_SECONDS = 30.0
_VARIABLE = "env:"


def target_of(text: str) -> str:
    """The command or URL that `--notify` names: itself, or with env:NAME the value of a variable. UsageError."""
    target = text
    if text.startswith(_VARIABLE):
        name = text.removeprefix(_VARIABLE)
        target = os.environ.get(name, "")
        if not target:
            raise UsageError(f"--notify {text}: the environment variable {name} is not set")
    if not target.strip():
        raise UsageError("--notify: name a command, or the URL of a webhook")
    if has_scheme(target):
        require_url(target)
    else:
        try:
            first = words_of(target)[0]
        except ValueError as error:
            raise UsageError(f"--notify: {error}") from None
        if "://" in first:
            raise UsageError(
                f"--notify: {first.partition('://')[0]}:// is no webhook; those begin with http:// or https://"
            )
    return target


def notify(target: str, told: Mapping[str, Any]) -> bool:
    """Hand `told` to `target`; whether that went well. What went wrong is told on standard error, never raised."""
    try:
        if has_scheme(target):
            _post(target, line_text(told))
        else:
            hand_over(words_of(target), line_text(told) + "\n", seconds=_TIMEOUT_SECONDS)
    except NotTaken as error:
        complain(f"--notify: {error}; the result stays as it is")
        return False
    return True


def _post(url: str, text: str) -> None:
    from crawlkit.sessions.session import Session

    host = "that address"
    try:
        host = origin(url).netloc
        with (
            Session(timeout=_TIMEOUT_SECONDS, deadline=_TIMEOUT_SECONDS) as session,
            session.post(
                url,
                data=text.encode("utf-8", "backslashreplace"),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                stream=True,  # what it answers is nobody's to read, and may have no end
            ) as answer,
        ):
            status = answer.status_code
    except (RequestException, ValueError) as error:
        raise NotTaken(f"the webhook at {host} could not be told: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise NotTaken(f"the webhook at {host} answered {status}")
