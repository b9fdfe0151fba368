"""One examinee's live test: what was seen and rejected, and what its draws come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any, NoReturn, Protocol

import numpy as np

from shsim.errors import DataError
from shsim.kernels.rng import PURPOSE_ACCEPT, STREAM_LIVE, stream_key
from shsim.model.audit import ItemKey
from shsim.model.selection import Selection
from shsim.workflow.served_pool import item_key

#: Called with `question_id` and `version` of each item proposed.
Hook = Callable[[int, int], object]


class Chooser(Protocol):
    """Who chooses a session's items: :class:`shsim.Selector`."""

    def next_item(
        self,
        theta_hat: float,
        seen: Session,
        *,
        on_proposal: Hook | None = None,
        only_needed: bool = False,
    ) -> Selection:
        """The item for the next position, which is added to the session."""

    def needed(self, seen: Iterable[ItemKey]) -> int:
        """Items that topics of the blueprint still lack."""


class Session:
    """One examinee's test: what was seen, in order, and what was rejected for good.

    Not shared by threads. Where a test is served by several processes, its `state` goes
    with it.

    Parameters
    ----------
    chooser
        The selector.
    seed
        Of the session's draws.
    """

    def __init__(self, chooser: Chooser, seed: int) -> None:
        self._chooser = chooser
        self.seed = index(seed)  # NumPy's own would neither mix nor be JSON
        self.seen: list[ItemKey] = []
        #: Set aside for the rest of the test, in order; always empty under `position`.
        self.rejected: dict[ItemKey, None] = {}

    @classmethod
    def of(cls, chooser: Chooser, state: Mapping[str, Any]) -> Session:
        """The session that `state` was taken of.

        Raises
        ------
        DataError
            The state is none.
        """
        try:
            session = cls(chooser, state["seed"])
            session.seen.extend(item_key(item) for item in state["seen"])
            session.rejected.update(dict.fromkeys(item_key(item) for item in state["rejected"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                "a session's state has seed, a whole number, and seen and rejected, lists of items."
            ) from error
        return session

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a session is not pickled or copied, since its selector is not: pass on its state, and"
            " go on with selector.resume(state)."
        )

    @property
    def state(self) -> dict[str, Any]:
        """All that is needed to go on elsewhere, in plain values that JSON has."""
        return {
            "seed": self.seed,
            "seen": [list(item) for item in self.seen],
            "rejected": [list(item) for item in self.rejected],
        }

    @property
    def key(self) -> np.uint64:
        """Of the draws of the next position."""
        return stream_key(self.seed, STREAM_LIVE, len(self.seen), PURPOSE_ACCEPT)

    @property
    def needed(self) -> int:
        """Items that topics of the blueprint still lack; until 0 the test cannot end."""
        return self._chooser.needed(self.seen)

    def next_item(
        self, theta_hat: float, *, on_proposal: Hook | None = None, only_needed: bool = False
    ) -> Selection:
        """As :meth:`Selector.next_item`, with the session's own draws; the item is seen then.

        Raises
        ------
        DataError
            As there.
        """
        return self._chooser.next_item(
            theta_hat, self, on_proposal=on_proposal, only_needed=only_needed
        )

    def add(self, selection: Selection, *, by_position: bool) -> None:
        """Keep what came of a position."""
        self.seen.append(selection.item)
        if not by_position:
            rejected = selection.proposed if selection.forced else selection.proposed[:-1]
            self.rejected.update(dict.fromkeys(rejected))
