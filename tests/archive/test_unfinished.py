"""Archives that a run did not finish: a secret that was learnt too late, a limit, and finishing them by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive.unfinished import finish_unfinished
from crawlkit.archive.verifying import verify
from crawlkit.exceptions import SecretFound, UsageError
from crawlkit.sessions.vault import Vault
from tests.archive.recorded import Studio, Walker
from tests.crawl.loopback import Asked, Reply, serving
from tests.crawl.test_engine import page

SECRET = "s3cr3t-of-the-last-page"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def late_cookie() -> dict[str, Any]:
    """The first page shows what the last one makes a cookie of."""
    return {
        "/": page("/a") + f"<p>{SECRET}",
        "/a": page("/b"),
        "/b": Reply(page(), headers={"Set-Cookie": f"sid={SECRET}; Path=/"}),
    }


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.wacz"))


def test_a_secret_that_was_learnt_too_late_keeps_the_package_from_being_made(studio: Studio) -> None:
    """It says where, never which; what was fetched is kept, and the same command takes it out."""
    with serving(late_cookie()) as site:
        first = studio.run(Walker(site))
        before = studio.output.exists(), studio.recorder.place.exists
        asked = len(site.log())
        second = studio.run(Walker(site))

    assert ("storage_failed", 74, True) == (first.outcome, first.exit_code, first.resumable)
    assert "data-00000.warc.gz" in first.reason
    assert "--finish" in first.reason
    assert SECRET not in first.reason
    assert ((False, True), 0, asked) == (before, second.exit_code, len(site.log()))
    assert {"/": 200, "/a": 200, "/b": 200} == studio.answers()
    assert all(SECRET.encode() not in it.head + it.payload for it in studio.records())
    assert [] == verify(studio.warcs())


def test_finishing_by_hand_takes_the_secret_out(studio: Studio) -> None:
    """The profile remembers what the run knew. The next crawl begins anew."""
    with serving(late_cookie()) as site:
        studio.run(Walker(site))
        profile = Vault(studio.folder / "sessions.db").profile("walker")
        finished = finish_unfinished(studio.output, profile=profile)
        again = studio.run(Walker(site), output=studio.folder / "next.wacz")

    assert (studio.output, 0) == (finished.output, finished.waiting)
    assert finished.package is not None
    assert all(SECRET.encode() not in it.head + it.payload for it in studio.records())
    assert (0, 3) == (again.exit_code, again.pages)
    assert not studio.output.with_name("site.wacz.part").exists()
    assert [] == profile.state["archive"]["secrets"]


def test_what_a_limited_run_fetched_can_be_packaged(studio: Studio) -> None:
    """It says what is missing; the rest of the crawl is not archived into the same file."""
    pages: dict[str, Any] = {"/": page("/a", "/b"), "/a": "a", "/b": "b"}
    with serving(pages) as site:
        studio.run(Walker(site), crawl__max_pages=2, crawl__workers=1)
        finished = finish_unfinished(studio.output, profile=None)
        with pytest.raises(UsageError, match="finished before its crawl was"):
            studio.run(Walker(site))

    assert (1, {"/": 200, "/a": 200}) == (finished.waiting, studio.answers())


@pytest.mark.parametrize("ends_crawl", [True, False])
def test_after_a_limited_one_the_next_archive_is_of_all_of_it(studio: Studio, ends_crawl: bool) -> None:
    """Where the crawl was for the archive alone. A spider's crawl goes on, and says how."""
    pages: dict[str, Any] = {"/": page("/a", "/b"), "/a": "a", "/b": "b"}
    another = studio.folder / "another.wacz"
    with serving(pages) as site:
        studio.run(Walker(site), crawl__max_pages=2, crawl__workers=1)
        finish_unfinished(studio.output, profile=None, ends_crawl=ends_crawl)
        if ends_crawl:
            done = studio.run(Walker(site), output=another)
            assert (0, dict.fromkeys(pages, 200)) == (done.exit_code, studio.answers(another))
        else:
            with pytest.raises(UsageError, match=r"another\.wacz: .*site\.wacz, which is finished; go on by `c"):
                studio.run(Walker(site), output=another)
            assert 1 == studio.run(Walker(site), recorded=False).pages


def test_what_is_not_there_cannot_be_finished(studio: Studio) -> None:
    """An error that names the folder."""
    with pytest.raises(UsageError, match=r"site\.wacz\.part"):
        finish_unfinished(studio.output, profile=None)


def test_what_somebody_else_put_there_is_kept(studio: Studio) -> None:
    """A folder of that name that is no archive's is left alone, even where the output is to be replaced."""
    folder = studio.output.with_name("site.wacz.part")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with serving({"/": "text"}) as site:
        with pytest.raises(UsageError, match=r"site\.wacz\.part.*mine\.txt"):
            studio.run(Walker(site))
        studio.output.write_text("another one")
        with pytest.raises(UsageError, match=r"site\.wacz\.part.*mine\.txt"):
            studio.run(Walker(site), overwrite=True)

    assert ["mine.txt"] == [path.name for path in folder.iterdir()]


def test_a_symbolic_link_stays_one(studio: Studio) -> None:
    """The archive is made where it leads, which may be another disk."""
    elsewhere = studio.folder / "elsewhere"
    elsewhere.mkdir()
    studio.output.symlink_to(elsewhere / "real.wacz")
    with serving({"/": "text"}) as site:
        assert 0 == studio.run(Walker(site)).exit_code
        with pytest.raises(UsageError, match=r"real\.wacz: is there already"):
            studio.run(Walker(site))

    assert studio.output.is_symlink()
    assert ["real.wacz"] == [path.name for path in elsewhere.iterdir()]


def test_what_is_left_of_a_folder_that_was_being_removed_is_in_nobodys_way(studio: Studio) -> None:
    """Killed after the note was gone and before all of the folder was."""
    folder = studio.output.with_name("site.wacz.part")
    folder.mkdir()
    (folder / "data-00000.warc.gz").write_text("removed in a moment")
    (folder / ".archive.json.1.unfinished").write_text("of another time")
    studio.output.write_text("the package")
    with serving({"/": "text"}) as site:
        done = studio.run(Walker(site), overwrite=True)

    assert (0, False) == (done.exit_code, folder.exists())


def test_a_hit_stays_a_hit_where_nothing_can_be_taken_out(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look is as strict as the first."""
    from crawlkit.archive import finishing
    from tests.archive.recorded import nothing_rewritten

    with serving(late_cookie()) as site:
        studio.run(Walker(site))
        monkeypatch.setattr(finishing, "rewritten", nothing_rewritten)
        with pytest.raises(SecretFound):
            finish_unfinished(studio.output, profile=Vault(studio.folder / "sessions.db").profile("walker"))

    assert not studio.output.exists()


def test_redaction_is_not_changed_on_the_way(studio: Studio) -> None:
    """Half an archive with secrets would call itself redacted."""
    with serving({"/": page("/a"), "/a": "a"}) as site:
        studio.run(Walker(site), crawl__max_pages=1)
        with pytest.raises(UsageError, match="taken out of it so far"):
            studio.run(Walker(site), redact=False)


def test_kept_secrets_are_said_loudly(studio: Studio) -> None:
    """For one's own vault: bytes as they were, and the package says so."""
    with serving(late_cookie()) as site:
        result = studio.run(Walker(site), redact=False)

    assert 0 == result.exit_code
    [front] = [it for it in studio.records() if it.kind == "response" and it.path == "/"]
    [info] = [it for it in studio.records() if it.kind == "warcinfo"]
    assert SECRET.encode() in front.payload
    assert b"SECRETS WERE KEPT" in info.head
    assert "SECRETS WERE KEPT" in studio.description()


def test_a_size_that_is_reached_ends_the_crawl(studio: Studio) -> None:
    """The package is made of what was fetched, and the exit code says that it is not all."""
    pages = {f"/{n}": page(f"/{n + 1}") + f"<p>{n}" * 2000 for n in range(50)}

    def front(asked: Asked) -> str:
        return page("/1")

    with serving({**pages, "/": front}) as site:
        result = studio.run(Walker(site), max_size=20_000)

    assert (5, True) == (result.exit_code, "max_size" in result.reason)
    assert 1 < len(studio.answers()) < 30
