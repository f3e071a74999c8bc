"""The JSON line that `--json` ends with, on every exit: a run's result, a folder's, or an error's."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from crawlkit.cli.exit_codes import INTERNAL, LOGIN_FAILED, STORAGE_FAILED
from crawlkit.cli.secrecy import redacted
from crawlkit.crawl.result import Result

_BROKEN = (LOGIN_FAILED, INTERNAL, STORAGE_FAILED)  # codes whose reason is an error
_OURS = ("spider", "outcome", "database")  # words of ours: a password that is one of them changes nothing
_COUNTS = ("pages", "failed", "skipped", "items", "bytes", "unchanged", "saved", "requests", "retries", "logins")


def result_line(spider: str, database: str, result: Result) -> dict[str, Any]:
    """One run as an object. `elapsed` is seconds, `bytes` decoded bodies, `run` None when no run began."""
    line = {
        "spider": spider,
        "run": result.run,
        "outcome": result.outcome,
        "reason": result.reason,
        **{name: getattr(result, name) for name in _COUNTS},
        "elapsed": round(result.elapsed, 3),
        "resumable": result.resumable,
        "failures": dict(result.failures),
        "tables": dict(result.items_by_table),
        "findings": [finding.as_json() for finding in result.findings],
        "database": database,
        "exit_code": result.exit_code,
    }
    if result.exit_code in _BROKEN:
        line["error"] = result.reason
    return line


def error_line(message: str, *, outcome: str, exit_code: int, spider: str | None = None) -> dict[str, Any]:
    """A command that never came to a run, as an object of the same shape."""
    return {
        "spider": spider,
        "run": None,
        "outcome": outcome,
        "reason": message,
        **dict.fromkeys(_COUNTS, 0),
        "elapsed": 0.0,
        "error": message,
        "exit_code": exit_code,
    }


def folder_line(lines: Sequence[Mapping[str, Any]], exit_code: int) -> dict[str, Any]:
    """Several runs as one object: sums, the outcome of the worst, and each line under `spiders`."""
    leading = next((line for line in lines if line["exit_code"] == exit_code), None)
    return {
        "spider": None,
        "run": None,
        "outcome": leading["outcome"] if leading else "finished",
        "reason": leading["reason"] if leading else "",
        **{name: sum(line[name] for line in lines) for name in _COUNTS},
        "elapsed": round(sum(line["elapsed"] for line in lines), 3),
        "spiders": list(lines),
        "exit_code": exit_code,
    }


def line_text(line: Mapping[str, Any]) -> str:
    """The line as JSON, in ASCII so that any log can hold it, and without secrets."""
    told = {name: value if name in _OURS else redacted(value) for name, value in line.items()}
    return json.dumps(told, default=str)


def print_line(line: Mapping[str, Any]) -> None:
    """Write the line to standard output."""
    sys.stdout.write(line_text(line) + "\n")
    sys.stdout.flush()
