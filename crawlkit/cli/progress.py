"""How a run is shown while it goes on: one live block on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from crawlkit.cli.logs import log
from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.quantities import duration_text, size_text
from crawlkit.crawl.result import Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

#: Seconds between two log lines of a run without a terminal.
LOG_INTERVAL_SECONDS = 10.0


class LiveProgress(AbstractContextManager["LiveProgress"]):
    """The block on the terminal, redrawn four times a second by rich's own thread and wiped at the end."""

    def __init__(
        self,
        console: Console,
        name: str,
        snapshot: Callable[[], Progress],
        archived: Callable[[], tuple[str, ...]] | None = None,
    ) -> None:
        """`archived`: the cells of a row about the archive that is made."""
        self._console = console
        self._render = lambda: progress_block(name, snapshot(), archived() if archived is not None else ())
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._ended = False

    def __enter__(self) -> LiveProgress:
        with self._lock:
            self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = True
            self._wipe()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Within it the block is gone from the terminal, for somebody else to write there. Any thread."""
        with self._lock:
            self._wipe()
        try:
            yield
        finally:
            with self._lock:
                if not self._ended:
                    self._draw()

    def _draw(self) -> None:
        import sys

        from rich.live import Live

        self._wipe()
        # A new one each time: one that goes on would wipe what was written since, where it believes its block to be.
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=4,
            transient=True,
            # A spider's print() goes above the block, but stays where it is when that is a file or a pipe.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start(refresh=True)

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class LogProgress(AbstractContextManager["LogProgress"]):
    """A log line every `interval_seconds`, from a thread of its own."""

    def __init__(
        self,
        snapshot: Callable[[], Progress],
        archived: Callable[[], tuple[str, ...]] | None = None,
        *,
        interval_seconds: float = LOG_INTERVAL_SECONDS,
    ) -> None:
        self._snapshot = snapshot
        self._archived = archived
        self._interval_seconds = interval_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="progress", daemon=True)

    def __enter__(self) -> LogProgress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _report(self) -> None:
        while not self._ended.wait(self._interval_seconds):
            line = progress_line(self._snapshot())
            log.info("%s", ", ".join([line, *(self._archived() if self._archived is not None else ())]))


def progress_line(now: Progress) -> str:
    """One line for a log: pages and items with their rates, what waits, what failed, who is slow."""
    line = (
        f"{counted(now.pages_done, 'page')} ({now.pages_per_second:.1f}/s), {now.queued} queued, {now.failed} failed, "
        f"{counted(now.items, 'item')} ({_per_minute(now):.0f}/min), {now.busy_workers}/{now.workers} workers busy"
    )
    return f"{line}, slowest {_slowest(now)}" if now.slowest_host else line


def progress_block(name: str, now: Progress, archived: tuple[str, ...] = ()) -> RenderableType:
    """The live block: the spider's name over three rows of figures, and one of its archive."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = (
        (
            "pages",
            f"{now.pages_done} done",
            f"{now.queued} queued",
            f"{now.failed} failed",
            f"{now.skipped} skipped",
        ),
        (
            "items",
            str(now.items),
            f"{_per_minute(now):.0f} a minute",
            size_text(now.bytes),
            duration_text(now.elapsed),
        ),
        (
            "speed",
            f"{now.pages_per_second:.1f} pages/s",
            f"{now.busy_workers}/{now.workers} busy",
            _slowest(now),
            "",
        ),
        *([("archive", *archived)] if archived else []),
    )
    block = Table.grid(padding=(0, 2), expand=False)
    for label, *cells in rows:
        block.add_row(Text(label, style="dim"), *(_cell(cell, now) for cell in cells))
    return Group(Text(safe(redact(name), one_line=True), style="bold", no_wrap=True, overflow="ellipsis"), block)


def _cell(text: str, now: Progress) -> Text:
    from rich.text import Text

    style = "yellow" if now.failed and text.endswith(" failed") else ""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _per_minute(now: Progress) -> float:
    return now.items / now.elapsed * 60 if now.elapsed > 0 else 0.0


def _slowest(now: Progress) -> str:
    if now.slowest_host is None:
        return ""
    seconds = f" {duration_text(now.slowest_seconds)}" if now.slowest_seconds is not None else ""
    return safe(redact(now.slowest_host), one_line=True) + seconds
