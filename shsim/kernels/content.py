"""A blueprint while a test runs: which topics the next position may have.

A topic is closed once it has its most; and while the positions left are just enough
for what topics still must have, every topic that has its least is closed too. As topics
share no item, that is all it takes for each test to meet a blueprint that can be met.
"""

from __future__ import annotations

from shsim.kernels.desk import CLOSED, TAKEN, Desk
from shsim.kernels.jit import device
from shsim.kernels.plan import Content


@device
def open_topics(content: Content, desk: Desk, left: int) -> int:
    """Close and open topics for the next of `left` positions; how many items topics still need."""
    taken, closed = desk.content[TAKEN], desk.content[CLOSED]
    needed = 0
    for t in range(len(taken)):
        needed += max(content.least[t] - taken[t], 0)
    tight = needed >= left
    for t in range(len(taken)):
        full = taken[t] >= content.most[t] or (tight and taken[t] >= content.least[t])
        closed[t] = 1 if full else 0
    return needed
