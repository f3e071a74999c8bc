"""The test project on Django's own threaded WSGI server: a login that we did not write.

    python serve.py DATABASE PORT LOG USERNAME PASSWORD

Makes the SQLite file with 200 authors and 300 books, then serves on 127.0.0.1 until it is ended. LOG gets a line
`METHOD STATUS PATH` for each request, written before its answer leaves.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATABASE, PORT, LOG, USERNAME, PASSWORD = sys.argv[1:6]
os.environ |= {"DJANGO_SETTINGS_MODULE": "settings", "DJANGOSITE_DATABASE": DATABASE}

import django  # noqa: E402

django.setup()

from django.core.servers.basehttp import ThreadedWSGIServer  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from serving import Handler, fill, noting  # noqa: E402

if __name__ == "__main__":
    fill(USERNAME, PASSWORD)
    server = ThreadedWSGIServer(("127.0.0.1", int(PORT)), Handler)
    server.set_app(noting(get_wsgi_application(), Path(LOG)))
    server.serve_forever()
