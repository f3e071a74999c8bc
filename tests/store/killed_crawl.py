"""A crawl of a site that is only arithmetic, to be killed: page n links to 2n and 2n+1.

    python -m tests.store.killed_crawl DATABASE LOG PAGES SEED [BYTES]

Each page yields a row of its own and a keyed one that it shares with others. LOG gets `fetch n` before a page is worked
on and `done n` after its commit: what a server and a user would know. Prints `ready` once it is under way. No file may
grow beyond BYTES: the disk refuses to write more. Exits 74 when the store fails.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from crawlkit.exceptions import StorageError
from crawlkit.store.database import Store
from crawlkit.store.lock import Lock
from crawlkit.store.outcome import Lease, Link, Outcome, Row

HOST = "numbers.example:80"
FAMILIES = 7


@dataclass
class Ended:
    outcome: str = "finished"
    reason: str = "nothing left"
    exit_code: int = 0
    requests: int = 0
    resumable: bool = False


def link(number: int) -> Link:
    return Link(number.to_bytes(16, "big"), f"http://numbers.example/{number}", HOST)


def outcome(lease: Lease, pages: int) -> Outcome:
    number = int.from_bytes(lease.fingerprint, "big")
    rows = [
        Row("numbers", {"number": number, "text": "x" * 200}),
        Row("families", {"family": number % FAMILIES, "name": f"family {number % FAMILIES}"}, ("family",)),
    ]
    links = [link(each) for each in (2 * number, 2 * number + 1, number // 2) if 1 <= each <= pages]
    return Outcome(lease.page, lease.run, "done", 200, page_key=lease.fingerprint, rows=rows, links=links)


def main(database: str, log: str, pages: int, seed: int, most_bytes: int = 0) -> None:
    chance = random.Random(seed)
    notes = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    with Lock(database, wait=5), Store.open(Path(database), spider="numbers", source="killed_crawl.py") as store:
        run = store.begin_run().id
        store.add([link(1)], run)
        print("ready", flush=True)
        while leases := store.claim(HOST, chance.randint(1, 8), time.time()):
            for lease in leases:
                os.write(notes, f"fetch {int.from_bytes(lease.fingerprint, 'big')}\n".encode())
            verdicts = store.commit([outcome(lease, pages) for lease in leases])
            for lease, verdict in zip(leases, verdicts, strict=True):
                os.write(notes, f"{verdict.state} {int.from_bytes(lease.fingerprint, 'big')}\n".encode())
        store.end_run(Ended())


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
    except StorageError as error:
        print(error, flush=True)
        sys.exit(74)
