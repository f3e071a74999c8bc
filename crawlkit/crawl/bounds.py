"""Bounds: how far a figure may go from its own past before somebody must look. Pure arithmetic on a few numbers.

What belongs here: the statistics. What does not: which figures there are (health.py), what an author demands (expect.py).

The middle is the median, the spread the median distance from it (MAD): one odd run moves neither. A spread of few values is
uncertain, mostly too small, so that the bound is wider the fewer runs there are, and the spread never counts as less than a
floor. A figure must also leave behind all that was seen before. The constants were chosen by simulated histories
(tests/crawl/test_health.py): the floor is the noise of a site that hardly changes, 10 % for amounts and 2 points for shares;
five spreads are beyond what noise reaches in some thousand looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

#: Runs that must be known before anything is judged by them.
ENOUGH = 3

_MAD = 1.4826  # the standard deviation of normal noise, in MADs
_SPREADS = 5.0
_UNCERTAIN = 7.0  # runs whose worth of doubt is added, a week of them: the bound is 1 + 7/n times as wide
_AMOUNT_FLOOR = 0.1  # of a logarithm: 10 %
_SHARE_FLOOR = 0.02
_SHARE_BEYOND = 0.25  # above the worst that was seen
_AMOUNT_BEYOND = 0.7  # below the least that was seen
_COLLAPSE = 0.05  # of the least that was seen: no noise does that
_CHANCE = 1e-5  # that pages drawn at random look like that
_WEIGHT = 10.0  # pages: a run with few of them says little, and leans on the others
_TIME_FLOOR = 0.4
_TIME_PART = 0.6  # of the width of other bounds: the next two rules hold back enough
_TIME_BEYOND = 4.0
_TIME_LEAST_SECONDS = 60.0


def share_bound(past: Sequence[tuple[float, float]], now: tuple[float, float]) -> tuple[float, float] | None:
    """For shares, each as (how many of it, how many in all): the usual share and the bound, when `now` is beyond it."""
    past = [(part, whole) for part, whole in past if whole > 0]
    part, whole = now
    if len(past) < ENOUGH or whole <= 0:
        return None
    all_ = sum(part for part, _ in past) / sum(whole for _, whole in past)
    shares = [(part + _WEIGHT * all_) / (whole + _WEIGHT) for part, whole in past]
    usual, spread = _middle(shares)
    bound = max(usual + _widened(max(spread, _SHARE_FLOOR), len(past)), max(shares) + _SHARE_BEYOND)
    likely = min(0.999, max(max(shares), usual + 2 * max(spread, _SHARE_FLOOR)))
    if part / whole <= min(bound, 0.999) or _at_least(part, whole, likely) > _CHANCE:
        return None
    return usual, bound


def never_before(past: Sequence[tuple[float, float]], now: tuple[float, float]) -> bool:
    """Whether most are it now and none ever was, each as for `share_bound`. For what does not happen by chance."""
    seen = [part for part, whole in past if whole > 0]
    part, whole = now
    return len(seen) >= ENOUGH and not any(seen) and part > whole / 2


def least_amount(past: Sequence[float], now: float, *, noise: float = 0.0) -> tuple[float, float] | None:
    """For amounts: the usual one and the least that is usual, when `now` is below it. `noise` is what is known of their
    spread, as a part of the amount."""
    seen = [value for value in past if value > 0]
    if len(seen) < ENOUGH or len(seen) < len(past):  # it was nothing at times: nothing is no news
        return None
    logs = [math.log(value) for value in seen]
    usual, spread = _middle(logs)
    least = math.exp(usual - _widened(max(spread, _AMOUNT_FLOOR, noise), len(seen)))
    least = max(min(least, _AMOUNT_BEYOND * min(seen)), _COLLAPSE * min(seen))
    return (math.exp(usual), least) if now < least else None


def enough_to_tell(usual: float, now: float) -> bool:
    """Whether the drop of a count is more than such counts differ by chance."""
    return usual - now > 2.5 * math.sqrt(usual) + 2


def longest_time(past: Sequence[float], now: float) -> tuple[float, float] | None:
    """For durations in seconds: the usual one and the longest that is usual, when `now` is above it."""
    seen = [value for value in past if value > 0]
    if len(seen) < ENOUGH:
        return None
    usual, spread = _middle([math.log(value) for value in seen])
    longest = math.exp(usual + _TIME_PART * _widened(max(spread, _TIME_FLOOR), len(seen)))
    longest = max(longest, _TIME_BEYOND * max(seen), max(seen) + _TIME_LEAST_SECONDS)
    return (math.exp(usual), longest) if now > longest else None


def _widened(spread: float, runs: int) -> float:
    return _SPREADS * (1 + _UNCERTAIN / runs) * spread


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Median, and the spread around it as a standard deviation."""
    middle = median(values)
    return middle, _MAD * median(abs(value - middle) for value in values)


def _at_least(part: float, whole: float, chance: float) -> float:
    """A bound on the probability of so many of so many, each with `chance` (Hoeffding, Chernoff: by relative entropy)."""
    share = part / whole
    if share <= chance:
        return 1.0
    entropy = share * math.log(share / chance)
    if share < 1:
        entropy += (1 - share) * math.log((1 - share) / (1 - chance))
    return math.exp(-whole * entropy)
