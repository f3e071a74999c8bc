"""What one warm GET costs: CPU in the client, by crawlkit's Session, urllib3's PoolManager and requests.

    python tests/benchmarks/bench_session.py [--rounds 15] [--calls 400] [--threads 1] [--body 300]

The three take turns within one run, so that a slow minute of the machine is nobody's advantage; the server is a
process of its own. Printed is the median over the rounds of CPU microseconds a call (user and system, all threads),
and the ratio to urllib3's.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import requests
import urllib3

from crawlkit import Session


def serve(body_bytes: int) -> None:
    """Answers every request head with the same page; prints its port first."""
    page = (
        "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {body_bytes}\r\nCache-Control: max-age=60\r\n\r\n"
    ).encode() + b"x" * body_bytes
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)

    def converse(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        while data := connection.recv(65536):
            held += data
            while b"\r\n\r\n" in held:
                held = held.partition(b"\r\n\r\n")[2]
                connection.sendall(page)

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection,), daemon=True).start()


def measure(call: Callable[[], object], calls: int, threads: int) -> float:
    """CPU microseconds a call."""

    def work() -> None:
        for _ in range(calls // threads):
            call()

    start = time.process_time()
    if threads == 1:
        work()
    else:
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return (time.process_time() - start) / (calls // threads * threads) * 1e6


def contenders(url: str, threads: int) -> dict[str, Callable[[], object]]:
    ours = Session()
    pool = urllib3.PoolManager(maxsize=threads)
    theirs = requests.Session()
    theirs.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=threads))
    return {
        "crawlkit Session.get": lambda: ours.get(url).content,
        "urllib3 PoolManager.request": lambda: pool.request("GET", url).data,
        "requests Session.get": lambda: theirs.get(url).content,
    }


def run(url: str, rounds: int, calls: int, threads: int) -> dict[str, float]:
    """Median CPU microseconds a call, by contender."""
    calls_of = contenders(url, threads)
    taken: dict[str, list[float]] = {name: [] for name in calls_of}
    for call in calls_of.values():
        measure(call, 20 * threads, threads)
    for number in range(rounds):
        order = list(calls_of.items())
        for name, call in order[number % 3 :] + order[: number % 3]:
            taken[name].append(measure(call, calls, threads))
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--body", type=int, default=300, help="bytes of the page")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.body)
        return
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--body", str(arguments.body)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/page?number=1"
        medians = run(url, arguments.rounds, arguments.calls, arguments.threads)
    finally:
        server.kill()
        server.wait()
    base = medians["urllib3 PoolManager.request"]
    for name, micros in medians.items():
        print(f"{name:30} {micros:8.1f} µs CPU   {micros / base:5.2f} × urllib3")


if __name__ == "__main__":
    main()
