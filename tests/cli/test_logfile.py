"""LogFile: put aside when it has grown, by one process or by several, and no line lost."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from crawlkit.cli.logfile import LogFile


def write(handler: LogFile, *lines: str) -> None:
    for line in lines:
        handler.handle(logging.makeLogRecord({"msg": line}))


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    """FILE.1 is the newest of those that are kept, and what does not fit into any file goes into an empty one."""
    handler = LogFile(tmp_path / "shop.log", size=10, keep=2)
    write(handler, "one", "two", "three", "four", "five", "a line that is too long", "six")
    handler.close()
    contents = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {"shop.log": "six\n", "shop.log.1": "a line that is too long\n", "shop.log.2": "four\nfive\n"} == contents


def test_without_a_size_it_grows(tmp_path: Path) -> None:
    """log_size = "none": logrotate may do it, and its new file is written then."""
    file = tmp_path / "shop.log"
    handler = LogFile(file)
    write(handler, "x" * 1000, "y" * 1000)
    assert 2002 == file.stat().st_size
    file.rename(tmp_path / "shop.log.old")
    write(handler, "after")
    handler.close()
    assert "after\n" == file.read_text()


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    """Every line of four writers is in one of the files, whole, and no file is larger than it may be."""
    file = tmp_path / "shop.log"
    program = (
        "import logging, sys; from pathlib import Path; from crawlkit.cli.logfile import LogFile\n"
        "handler = LogFile(Path(sys.argv[1]), size=2000, keep=1000)\n"
        "for number in range(200):\n"
        "    handler.handle(logging.makeLogRecord({'msg': f'{sys.argv[2]} {number} ' + 'x' * 40}))\n"
        "handler.close()\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(file), name], stderr=subprocess.PIPE) for name in "abcd"
    ]
    assert [(b"", 0)] * 4 == [(writer.communicate()[1], writer.returncode) for writer in writers]
    logs = list(tmp_path.iterdir())
    assert all(path.stat().st_size <= 2000 + 4 * 60 for path in logs)  # who wrote in the instant of the change
    # Who waited for another to put the file aside does not put the fresh one aside as well.
    assert all(path.stat().st_size > 2000 - 60 for path in logs if path != file)
    lines = Counter(line for path in logs for line in path.read_text().splitlines())
    assert Counter(f"{name} {number} " + "x" * 40 for name in "abcd" for number in range(200)) == lines


def test_what_cannot_be_put_aside_grows_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once, and no line is lost."""
    file = tmp_path / "shop.log"
    (tmp_path / "shop.log.1").mkdir()
    handler = LogFile(file, size=10, keep=1)
    write(handler, "one", "two", "three", "four")
    handler.close()
    assert "one\ntwo\nthree\nfour\n" == file.read_text()
    told = capsys.readouterr().err.splitlines()
    assert 1 == len(told)
    assert f"the log file {file} cannot be put aside and grows on: " in told[0]


def test_what_a_link_leads_to_is_put_aside(tmp_path: Path) -> None:
    """The link stays a link."""
    (tmp_path / "logs").mkdir()
    link = tmp_path / "shop.log"
    link.symlink_to(tmp_path / "logs" / "real.log")
    handler = LogFile(link, size=5, keep=1)
    write(handler, "one", "two")
    handler.close()
    assert link.is_symlink()
    assert ("two\n", "one\n") == (link.read_text(), (tmp_path / "logs" / "real.log.1").read_text())


def test_a_device_is_written_as_it_is() -> None:
    """/dev/null never grows, and a pipe has no other name."""
    handler = LogFile(Path("/dev/null"), size=1, keep=1)
    write(handler, "one", "two")
    handler.close()
