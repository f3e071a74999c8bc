"""The test project on Django's own threaded WSGI server: a login that we did not write.

    python serve.py DATABASE PORT LOG USERNAME PASSWORD

Makes the SQLite file with 200 authors and 300 books, then serves on 127.0.0.1 until it is ended. LOG gets a line
`METHOD STATUS PATH` for each request, written before its answer leaves.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

DATABASE, PORT, LOG, USERNAME, PASSWORD = sys.argv[1:6]
os.environ |= {"DJANGO_SETTINGS_MODULE": "settings", "DJANGOSITE_DATABASE": DATABASE}

import django  # noqa: E402

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from library.models import Author, Book  # noqa: E402


class Handler(WSGIRequestHandler):
    """Keeps Django's own lines off the terminal."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """The log that counts is written by `noting`."""


def fill() -> None:
    """The tables, the administrator and 500 objects."""
    call_command("migrate", verbosity=0, run_syncdb=True)
    get_user_model().objects.create_superuser(USERNAME, "admin@example.org", PASSWORD)
    Author.objects.bulk_create(Author(name=f"Author & Co. № {n}", born=1800 + n) for n in range(200))
    Book.objects.bulk_create(Book(title=f"Book “{n}”", isbn=f"978{n:010d}") for n in range(300))


def noting(application: Any) -> Any:
    """The application, with a line in the log for each answer."""
    writing = threading.Lock()

    def noted(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, *rest: Any) -> Any:
            query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
            with writing, Path(LOG).open("a", encoding="utf-8") as log:
                log.write(f"{environ['REQUEST_METHOD']} {status[:3]} {environ['PATH_INFO']}{query}\n")
            return start_response(status, *rest)

        return application(environ, start)

    return noted


if __name__ == "__main__":
    fill()
    server = ThreadedWSGIServer(("127.0.0.1", int(PORT)), Handler)
    server.set_app(noting(get_wsgi_application()))
    server.serve_forever()
