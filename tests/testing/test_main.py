"""`python -m crawlkit.testing` opens the shop for a person."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest

from crawlkit.testing import demo_site
from crawlkit.testing.__main__ import main


def test_says_where_it_is_and_ends_when_told(capsys: pytest.CaptureFixture[str]):
    """Address, name and password on the first line, the number of requests on the last."""
    stop = threading.Event()
    stop.set()
    main(["--port", "0", "--books", "3"], stop=stop)
    first, last = capsys.readouterr().out.splitlines()
    assert re.search(r"open at http://127.0.0.1:\d+ \(name reader, password a-quiet-room\)", first)
    assert "closed after 0 requests" == last


def test_serves_until_ctrl_c():
    """As a process: it answers, and SIGINT ends it without a traceback."""
    words = [sys.executable, "-m", "crawlkit.testing", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(found[0], timeout=10) as answer:
            assert b"The Quiet Room" in answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (0, "closed after 1 requests", "") == (process.returncode, out.strip(), err)


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]):
    """Exit code 2, with what to do."""
    with demo_site(0, books=3) as site, pytest.raises(SystemExit) as ended:
        main(["--port", site.url.rpartition(":")[2]])
    assert 2 == ended.value.code
    error = capsys.readouterr().err
    assert 1 == error.count("\n")
    assert "is it running already? Name another with --port." in error
