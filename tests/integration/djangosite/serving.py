"""What the two Django sites of the tests share: their objects, and a log that is the judge of a crawl."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.servers.basehttp import WSGIRequestHandler
from library.models import Author, Book


class Handler(WSGIRequestHandler):
    """Keeps Django's own lines off the terminal."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """The log that counts is written by `noting`."""


def fill(username: str, password: str) -> None:
    """The tables, the administrator and 500 objects."""
    call_command("migrate", verbosity=0, run_syncdb=True)
    get_user_model().objects.create_superuser(username, "admin@example.org", password)
    Author.objects.bulk_create(Author(name=f"Author & Co. № {n}", born=1800 + n) for n in range(200))
    Book.objects.bulk_create(Book(title=f"Book “{n}”", isbn=f"978{n:010d}") for n in range(300))


def noting(application: Any, path: Path) -> Any:
    """The application, with a line in the log for each answer."""
    writing = threading.Lock()

    def noted(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, *rest: Any) -> Any:
            query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
            with writing, path.open("a", encoding="utf-8") as log:
                log.write(f"{environ['REQUEST_METHOD']} {status[:3]} {environ['PATH_INFO']}{query}\n")
            return start_response(status, *rest)

        return application(environ, start)

    return noted
