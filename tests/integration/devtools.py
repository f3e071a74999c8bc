"""Chromium over its DevTools protocol: one process that draws many pages, each of them whole.

What belongs here: the process, its pipe, a tab, what a tab shows when it has settled. What does not: which pages, and what
is to be thought of them. The protocol is described at https://chromedevtools.github.io/devtools-protocol/; by
`--remote-debugging-pipe` chromium reads commands from descriptor 3 and writes answers and events to descriptor 4, each a
JSON object and a NUL.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import select
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.pictures import browser

#: Without these several threads draw parts of a page, in whatever order: its corners come out in two ways.
STEADY = (
    "--disable-partial-raster",
    "--num-raster-threads=1",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
)
#: The window: a page is scrolled through and drawn by pieces of this size. In one piece the longest take minutes.
WIDTH, HEIGHT = 1000, 4000
_PATIENCE_SECONDS = 60.0
#: One start in a hundred hangs.
_STARTS = 3
_START_SECONDS = 30.0

#: Fulfilled when nothing is to be waited for but requests: fonts, pictures, animations that end, and two frames after them.
_SETTLED = """(async () => {
  await document.fonts.ready;
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  const ending = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime < Infinity);
  await Promise.all(ending.map(each => each.finished.catch(() => null)));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return {title: document.title, text: document.body.innerText, height: document.documentElement.scrollHeight,
          images: [...document.images].filter(image => image.naturalWidth).length};
})()"""


class DevToolsError(Exception):
    """Chromium refused a command, ended, or did not answer in time."""


@dataclass(frozen=True)
class Drawing:
    """What a page looked like. Two are equal when title, text and every pixel are; `answers`, the status of each request
    (0: there was no answer), does not count.
    """

    title: str
    #: As a reader sees it.
    text: str
    #: How many images have a size.
    images: int
    #: Digests of the page's pieces, from the top down.
    pieces: tuple[str, ...]
    answers: dict[str, int] = field(compare=False)

    @property
    def unanswered(self) -> set[str]:
        """What was asked for and not given."""
        return {where for where, status in self.answers.items() if not 200 <= status < 400}

    def unlike(self, other: Drawing) -> list[str]:
        """In what the two differ, in words."""
        named = [name for name in ("title", "text", "images") if getattr(self, name) != getattr(other, name)]
        pairs = itertools.zip_longest(self.pieces, other.pieces)
        return named + [f"pixels from {at * HEIGHT} down" for at, (one, two) in enumerate(pairs) if one != two]


class Chromium:
    """A chromium without a window, for one thread, until the end of a `with` block; its own files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        for start in range(_STARTS):
            self._pipe = _Pipe(browser(folder / f"profile-{start}", *STEADY, "--remote-debugging-pipe"))
            try:
                self._pipe.call("Browser.getVersion", patience_seconds=_START_SECONDS)
                return
            except DevToolsError:
                self._pipe.close()
                if start == _STARTS - 1:
                    raise

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pipe.close()

    @contextlib.contextmanager
    def tab(self, cookies: Iterable[dict[str, Any]] = ()) -> Iterator[Tab]:
        """A tab with a cache of its own, and no cookies but these (the protocol's `CookieParam`)."""
        pipe = self._pipe
        context = pipe.call("Target.createBrowserContext")["browserContextId"]
        target = pipe.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        pipe.call("Storage.setCookies", browserContextId=context, cookies=list(cookies))
        try:
            yield Tab(pipe, session)
        finally:
            pipe.call("Target.disposeBrowserContext", browserContextId=context)


class Tab:
    """A tab of a Chromium, for its thread only."""

    def __init__(self, pipe: _Pipe, session: str) -> None:
        self._pipe = pipe
        self._session = session
        self._loader = ""
        self._call("Page.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)
        self._call("Network.enable")
        self._call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)

    def draw(self, url: str) -> Drawing:
        """Go to the page and draw all of it when it has settled. Raises DevToolsError when it cannot be gone to, or does not
        settle within a minute.
        """
        self._pipe.events.clear()
        went = self._call("Page.navigate", url=url)
        if went.get("errorText"):
            raise DevToolsError(f"{url}: {went['errorText']}")
        requests = _Requests(left=self._loader)
        self._loader = went["loaderId"]
        self._load(self._loader, requests)
        said = self._settle(requests)
        pieces = [self._piece()]
        for top in range(HEIGHT, said["height"], HEIGHT):
            self._call("Runtime.evaluate", expression=f"scrollTo(0, {top})")
            self._settle(requests)
            pieces.append(self._piece())
        return Drawing(said["title"], said["text"], said["images"], tuple(pieces), requests.answers)

    def _load(self, loader: str, requests: _Requests) -> None:
        """Until the document's load event, and the answers of all requests by then."""
        loaded = False
        until = time.monotonic() + _PATIENCE_SECONDS
        while not loaded or requests.open:
            event = self._pipe.event(until)
            requests.note(event)
            about = event.get("params", {})
            loaded |= event["method"] == "Page.lifecycleEvent" and (about["loaderId"], about["name"]) == (
                loader,
                "load",
            )

    def _settle(self, requests: _Requests) -> dict[str, Any]:
        while True:
            shown = self._call("Runtime.evaluate", expression=_SETTLED, awaitPromise=True, returnByValue=True)
            if "exceptionDetails" in shown:
                raise DevToolsError(f"the page threw: {shown['exceptionDetails']}")
            while self._pipe.events:
                requests.note(self._pipe.events.popleft())
            if not requests.open:
                said: dict[str, Any] = shown["result"]["value"]
                return said
            until = time.monotonic() + _PATIENCE_SECONDS
            while requests.open:
                requests.note(self._pipe.event(until))

    def _piece(self) -> str:
        """A digest of the PNG of what is in the window now."""
        shot = self._call("Page.captureScreenshot", format="png", optimizeForSpeed=True)
        return hashlib.sha256(base64.b64decode(shot["data"])).hexdigest()

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._pipe.call(method, session=self._session, **parameters)


class _Requests:
    """The requests of a page: which are open, and the status that answered the others.

    `left` is the loader of the page before: its icon may be asked for as it is left, and nobody hears of an end of that.
    """

    def __init__(self, *, left: str) -> None:
        self._left = left
        self.answers: dict[str, int] = {}
        self.open: dict[str, str] = {}

    def note(self, event: dict[str, Any]) -> None:
        """Take an event of a tab into account."""
        name, about = event["method"], event.get("params", {})
        if name == "Network.requestWillBeSent" and about["loaderId"] != self._left:
            if "redirectResponse" in about:
                self.answers[about["redirectResponse"]["url"]] = about["redirectResponse"]["status"]
            if about["request"]["url"].startswith("http"):
                self.open[about["requestId"]] = about["request"]["url"]
                self.answers[about["request"]["url"]] = 0
        elif name == "Network.responseReceived" and about["requestId"] in self.open:
            self.answers[self.open[about["requestId"]]] = about["response"]["status"]
        elif name in ("Network.loadingFinished", "Network.loadingFailed"):
            self.open.pop(about["requestId"], None)


class _Pipe:
    """A process that speaks the protocol over two pipes; `events` are those that nobody has taken yet."""

    def __init__(self, words: list[str]) -> None:
        self.events: deque[dict[str, Any]] = deque()
        self._count = 0
        self._pieces: list[bytes] = []
        self._messages: deque[bytes] = deque()
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # Above 4, so that none of the two is overwritten by the other.
        moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 10) for each in (theirs_in, theirs_out)]
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, each, number) for number, each in zip((3, 4), moved, strict=True)]
        try:
            self._pid = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
        finally:
            for each in (theirs_in, theirs_out, null, *moved):
                os.close(each)

    def call(
        self, method: str, *, session: str = "", patience_seconds: float = _PATIENCE_SECONDS, **parameters: Any
    ) -> dict[str, Any]:
        """What chromium answers to a command."""
        self._count += 1
        command = {"id": self._count, "method": method, "params": parameters}
        self._send(json.dumps(command | ({"sessionId": session} if session else {})).encode() + b"\0")
        until = time.monotonic() + patience_seconds
        while True:
            message = self._message(until, method)
            if message.get("id") == self._count:
                break
            if "method" in message:
                self.events.append(message)
        if "error" in message:
            raise DevToolsError(f"{method}: {message['error']}")
        answer: dict[str, Any] = message["result"]
        return answer

    def event(self, until: float) -> dict[str, Any]:
        """The next event, which is waited for until this time of time.monotonic()."""
        while not self.events:
            message = self._message(until, "an event")
            if "method" in message:
                self.events.append(message)
        return self.events.popleft()

    def close(self) -> None:
        """End the process, by its own means if it can."""
        with contextlib.suppress(DevToolsError):
            self.call("Browser.close", patience_seconds=10)
        os.close(self._out)
        os.close(self._in)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)

    def _send(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError as error:
            raise DevToolsError("chromium has ended") from error

    def _message(self, until: float, waited_for: str) -> dict[str, Any]:
        while not self._messages:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise DevToolsError(f"waited for {waited_for} in vain")
            read = os.read(self._in, 1 << 20)
            if not read:
                raise DevToolsError(f"chromium ended while {waited_for} was waited for")
            first, *others = read.split(b"\0")
            self._pieces.append(first)
            for other in others:
                self._messages.append(b"".join(self._pieces))
                self._pieces = [other]
        message: dict[str, Any] = json.loads(self._messages.popleft())
        return message
