"""`python -m crawlkit.testing`: the demo bookshop on its port until Ctrl-C, to look at and to try spiders on."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence

from crawlkit.testing.demo_site import PORT, demo_site


def main(arguments: Sequence[str] | None = None, *, stop: threading.Event | None = None) -> None:
    """Serve until interrupted, or until `stop` is set. `arguments`: sys.argv's unless given."""
    parser = argparse.ArgumentParser(prog="python -m crawlkit.testing", description="Open the demo bookshop.")
    parser.add_argument("--port", type=int, default=PORT, help=f"where to listen on 127.0.0.1 (default {PORT})")
    parser.add_argument("--books", type=int, default=300, help="how many books it sells (default 300)")
    parser.add_argument("--expire-after", type=int, metavar="N", help="end a login after N members' requests")
    chosen = parser.parse_args(arguments)
    try:
        opened = demo_site(chosen.port, books=chosen.books, expire_after_requests=chosen.expire_after)
    except OSError as error:  # the port is taken
        parser.exit(2, f"{parser.prog}: error: {error.strerror} Name another with --port.\n")
    with opened as site:
        name, password = site.account
        try:
            print(
                f"The Quiet Room is open at {site.url} (name {name}, password {password}). Ctrl-C closes it.",
                flush=True,
            )
            (stop or threading.Event()).wait()
        except KeyboardInterrupt:
            print()
        print(f"closed after {len(site.log)} requests")


if __name__ == "__main__":
    main()
