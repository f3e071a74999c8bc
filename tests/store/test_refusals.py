"""What was not fetched for fear of what it does, as the store keeps it."""

from __future__ import annotations

from dataclasses import replace

from crawlkit.store.database import Store
from crawlkit.store.outcome import Refusal
from tests.store.desk import Desk, Ended

OUT = Refusal("https://a.example/logout", "logs out", "Log out")
GONE = Refusal("https://a.example/7/delete", "deletes")


def test_refused_links_are_kept_with_their_run(desk: Desk) -> None:
    """Committed with the page that has them, once a run, whatever became of the page; by reason."""
    desk.add("a", "b")
    one, two = desk.claim(2)
    desk.store.commit([replace(desk.outcome(one), refused=[OUT, GONE])])
    desk.store.commit(
        [replace(desk.outcome(two), state="skipped", error="guard: deletes", refused=[replace(OUT, text="x")])]
    )
    assert [GONE, OUT] == desk.store.reports.refused(1)
    assert [GONE] == desk.store.reports.refused(1, limit=1)
    assert [] == desk.store.reports.refused(2)
    with Store.open_readonly(desk.path) as reports:
        assert [GONE, OUT] == reports.refused(1)


def test_a_page_that_did_not_count_leaves_nothing(desk: Desk) -> None:
    desk.add("a")
    outcome = desk.outcome(desk.claim(1)[0])
    desk.store.commit([replace(outcome, run=99, refused=[OUT])])
    assert [] == desk.store.reports.refused(1)


def test_only_the_last_runs_are_kept(desk: Desk) -> None:
    desk.add("a")
    desk.store.commit([replace(desk.outcome(desk.claim(1)[0]), refused=[OUT])])
    for run in range(2, 13):
        desk.store.end_run(Ended())
        desk.store.begin_run()
        assert ([OUT] if run < 11 else []) == desk.store.reports.refused(1)


def test_blame_outlives_runs_until_a_fresh_one(desk: Desk) -> None:
    store = desk.store
    store.keepsakes.blame("p", "https://a.example/x", 1, False)
    store.keepsakes.blame("p", "https://a.example/x", 2, True)
    store.keepsakes.blame("q", "https://a.example/y", 1, False)
    store.keepsakes.absolve("q", "https://a.example/y")
    store.end_run(Ended())
    store.begin_run()
    (blame,) = store.keepsakes.blamed()
    assert ("p", "https://a.example/x", 2, True) == (blame.profile, blame.url, blame.times, blame.quarantined)
    assert [blame] == store.reports.blamed()
    store.end_run(Ended())
    store.begin_run(fresh=True)
    assert [] == store.keepsakes.blamed()
