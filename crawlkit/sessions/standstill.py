"""Standstill: threads that wait for connections which none but they themselves could give back.

What belongs here: telling such waiting from waiting that has an end. What does not: waiting, and what is done about it
(waiting.py).

A stream holds its connection until it is read, and the thread that reads it may want another one in between. When every
connection in its way is held by threads that wait like it, they would all wait until their time is up. Then, and only
then, one connection beyond the limit is right; threads that merely have to be patient never get one.

A connection belongs to the thread that used it last: the one that sent over it, or read from it since. So a stream that
was opened in one thread and is read in another keeps neither of them from waiting for the other. What is missed this
way, as threads that wait for each other's locks, still ends with the connect timeout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawlkit.sessions.ledger import Ledger, Waiter
    from crawlkit.sessions.wire import Wire


def first_in_vain(ledger: Ledger, wires: Iterable[Wire]) -> Waiter | None:
    """The first in the queue who holds connections and waits in vain unless a limit is passed; None when waiting helps.

    `wires`: the connections there are. The caller holds the ledger's lock. A limit is passed by at most as many
    connections as there are threads that stand still on its account, so a thread that never closes its streams comes
    to an end.
    """
    waiting = {waiter.thread: waiter for waiter in ledger.queue}
    held = [wire for wire in wires if wire.user in waiting]
    while held:
        by_host = Counter(wire.slot.host for wire in held)
        patient = {
            thread
            for thread, waiter in waiting.items()
            if len(held) < ledger.max_connections
            and (waiter.host.limit is None or by_host[waiter.host] < waiter.host.limit)
        }
        if not patient:
            break
        waiting = {thread: waiter for thread, waiter in waiting.items() if thread not in patient}
        held = [wire for wire in held if wire.user not in patient]
    holders = {wire.user for wire in held}
    for waiter in waiting.values():
        if waiter.thread in holders and _may_pass(waiter, ledger, held):
            return waiter
    return None


def _may_pass(waiter: Waiter, ledger: Ledger, held: list[Wire]) -> bool:
    if ledger.open - ledger.max_connections >= len({wire.user for wire in held}):
        return False
    host = waiter.host
    to_host = {wire.user for wire in held if wire.slot.host is host}
    return host.limit is None or host.open - host.limit < len(to_host)
