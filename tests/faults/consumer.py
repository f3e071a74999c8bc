"""A process that fetches what it is told to and says what it cost: run as `python -m tests.faults.consumer`.

Each line of its input is a job: `{"url": …, "way": "content" or "stream", "max_body": bytes, "deadline": seconds}`. Its
answer is a line with the error's name, the seconds, the bytes that came out, and by how many bytes memory rose at most.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from crawlkit import Session
from crawlkit.exceptions import RequestException

_STATUS = Path("/proc/self/status")
_PIECE = 64 * 1024


def most_memory() -> int:
    """The most bytes of memory that this process has had."""
    if _STATUS.exists():  # what getrusage() says there counts the process that started this one
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def take(job: dict[str, Any], session: Session) -> int:
    """Fetch; how many bytes came out. `cap` of a stream ends reading as a program would that has enough."""
    streamed = job["way"] == "stream"
    with session.get(
        job["url"],
        stream=streamed,
        max_body=job.get("max_body"),
        deadline=job.get("deadline"),
        allow_redirects=job.get("follow", True),
    ) as response:
        if not streamed:
            return len(response.content)
        length = 0
        for piece in response.iter_content(_PIECE):
            length += len(piece)
            if length >= job.get("cap", float("inf")):
                break
        return length


def main() -> None:
    import brotli  # noqa: F401 - what decoding imports late is no part of what a bomb costs
    from backports import zstd  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        before, begun, error, length = most_memory(), time.monotonic(), None, None
        with Session() as session:
            session.trust_env = False
            try:
                length = take(job, session)
            except RequestException as caught:
                error = type(caught).__name__
        seconds = time.monotonic() - begun
        print(
            json.dumps({"error": error, "seconds": seconds, "length": length, "rise": most_memory() - before}),
            flush=True,
        )


if __name__ == "__main__":
    main()
