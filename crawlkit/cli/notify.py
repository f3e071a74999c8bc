"""Notify: hands an object to a command, on its standard input, or to a webhook, as a POST of JSON.

What belongs here: `--notify`. What does not: what is handed over; the alarm of a failed run (alarm.py).

The webhook is whoever's who typed it: it may be at a private address. A redirect is not followed, and counts as failure: it
would take the message to an address that nobody typed. The address of a webhook is a secret: only its host is told.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from crawlkit.cli.json_line import line_text
from crawlkit.cli.options import require_url
from crawlkit.cli.terminal import complain
from crawlkit.exceptions import RequestException, UsageError
from crawlkit.url import has_scheme, origin

_TIMEOUT_SECONDS = 30.0
_VARIABLE = "env:"


class NotTold(Exception):
    """The object could not be handed over; the text says why, without the secret part of an address."""


def target_of(text: str) -> str:
    """The command or URL that `--notify` names: itself, or with env:NAME the value of a variable. UsageError."""
    target = text
    if text.startswith(_VARIABLE):
        name = text.removeprefix(_VARIABLE)
        target = os.environ.get(name, "")
        if not target:
            raise UsageError(f"--notify {text}: the environment variable {name} is not set")
    if has_scheme(target):
        require_url(target)
    else:
        try:
            words = shlex.split(target)
        except ValueError as error:
            raise UsageError(f"--notify: the command cannot be read ({error}); close its quotes") from None
        if not words:
            raise UsageError("--notify: name a command, or the URL of a webhook")
    return target


def notify(target: str, told: Mapping[str, Any]) -> bool:
    """Hand `told` to `target`; whether that went well. What went wrong is told on standard error, never raised."""
    try:
        if has_scheme(target):
            _post(target, line_text(told))
        else:
            _start(shlex.split(target), line_text(told))
    except NotTold as error:
        complain(f"--notify: {error}; the result stays as it is")
        return False
    return True


def _post(url: str, text: str) -> None:
    from crawlkit.sessions.session import Session

    host = "that address"
    try:
        host = origin(url).netloc
        with Session() as session:
            answer = session.post(
                url,
                data=text.encode(),
                headers={"Content-Type": "application/json"},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except (RequestException, ValueError) as error:
        raise NotTold(f"the webhook at {host} could not be told: {type(error).__name__}") from None
    if not 200 <= answer.status_code < 300:
        raise NotTold(f"the webhook at {host} answered {answer.status_code}")


def _start(words: list[str], text: str) -> None:
    words[0] = os.path.expanduser(words[0])  # noqa: PTH111 - a Path would lose the ./ that tells it from one on the PATH
    try:
        done = subprocess.run(
            words, input=text + "\n", text=True, encoding="utf-8", stdout=subprocess.DEVNULL, timeout=_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotTold(f"{words[0]} did not end within {_TIMEOUT_SECONDS:.0f} s and was ended") from None
    except OSError as error:
        raise NotTold(f"{words[0]} could not be started: {error.strerror}") from None
    if done.returncode != 0:
        raise NotTold(f"{words[0]} ended with exit code {done.returncode}")
