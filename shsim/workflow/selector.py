"""The live selector: what a delivery service asks for each next item.

It ranks and rejects as the simulated tests do that its k were calibrated with, by the same
kernels, so that live exposure is what calibration said it would be.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np

from shsim.arrays import FloatArray
from shsim.errors import DataError
from shsim.model.audit import ItemKey
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.selection import Refreshed, Selection
from shsim.workflow.live_session import Hook, Session
from shsim.workflow.served_pool import ServedPool

_log = logging.getLogger("shsim.selector")

#: What a generator's number is multiplied by to make a key of it: it has 53 bits.
_BITS = 2.0**53


#: Those of this process.
_selectors: weakref.WeakSet[Selector] = weakref.WeakSet()


class Dice(Protocol):
    """A `numpy.random.Generator`, a `random.Random`, or whatever draws like them."""

    def random(self) -> float:
        """A number in [0, 1)."""


class Selector:
    """Chooses the next item of live tests, from a pool that is loaded once.

    Shared by threads: any number of tests may ask at once, also while the pool is exchanged.
    Processes that are forked have one each, and take over k each for itself.
    All that is compiled or built is so before the constructor returns.

    Parameters
    ----------
    pool
        Items and the k in force.
    delivery
        The test: its length, its rejection, its blueprint. The abilities expected (`theta`)
        are ranked fastest; any other is ranked as well. How ability is estimated and when a test
        ends before its length is the service's affair, the seed that of its generators.
    on_proposal
        Called for each item proposed, in order, once the item is chosen; what it raises is
        counted in `hook_failures`, and changes nothing.

    Raises
    ------
    DataError
        The settings are wrong, or the pool cannot give such tests.
    """

    def __init__(
        self, pool: ItemPool, delivery: DeliverySettings, on_proposal: Hook | None = None
    ) -> None:
        self._served = ServedPool.build(pool, delivery)
        self._on_proposal = on_proposal
        self._unlock()
        self._hook_failures = 0
        _selectors.add(self)

    def _unlock(self) -> None:
        self._exchanging = threading.Lock()
        self._counting = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Selector is not pickled or copied: it serves the threads of one process."
            " Build one in each process; a test under way goes along as session.state, for"
            " selector.resume(state)."
        )

    @property
    def pool(self) -> ItemPool:
        """The items that are served now, with their k."""
        return self._served.pool

    @property
    def hook_failures(self) -> int:
        """How often the hook raised."""
        return self._hook_failures

    def next_item(
        self,
        theta_hat: float,
        seen: Iterable[ItemKey] | Session,
        rng: Dice | None = None,
        *,
        on_proposal: Hook | None = None,
        only_needed: bool = False,
    ) -> Selection:
        """The item for the next position of a test.

        Parameters
        ----------
        theta_hat
            The examinee's ability as it is estimated now, on the scale of b.
        seen
            The items given in this test so far, as ``(question_id, version)``; or its session,
            to which the item is added.
        rng
            One number is drawn from it; a session can do without.
        on_proposal
            Instead of the selector's own hook.
        only_needed
            The estimate is good enough, and only topics that still lack items are open.

        Raises
        ------
        DataError
            The ability is no finite number, an item is none, the test has its length, or the pool
            has no item left for it. Under `rejection` "examinee" also where `seen` is no session,
            since what an examinee rejected must be kept.
        """
        theta = _finite(theta_hat)
        served = self._served  # one and the same for all of this
        by_position = served.delivery.rejection == "position"
        if isinstance(seen, Session):
            session, given = seen, served.given(seen.seen, seen.rejected)
            key = session.key if rng is None else _drawn(rng)
            selection = served.select(given, theta, key, only_needed=only_needed)
            session.add(selection, by_position=by_position)
        else:
            if not by_position:
                raise DataError(
                    "rejection 'examinee' keeps what an examinee rejected, which items seen do not"
                    " tell. Give a session instead: selector.session()."
                )
            if rng is None:
                raise DataError("without a session a generator is needed: give rng.")
            given = served.given(seen, ())
            selection = served.select(given, theta, _drawn(rng), only_needed=only_needed)
        hook = on_proposal or self._on_proposal
        if hook is not None:
            self._call(hook, selection.proposed)
        return selection

    def session(self, seed: int | None = None) -> Session:
        """A test that keeps what was seen and rejected, and draws for itself.

        Parameters
        ----------
        seed
            The same seed and the same abilities give the same items; None: one is drawn.
        """
        return Session(self, secrets.randbits(63) if seed is None else seed)

    def resume(self, state: Mapping[str, Any]) -> Session:
        """The session that :attr:`Session.state` was taken of, in whichever process.

        Raises
        ------
        DataError
            The state is none.
        """
        return Session.of(self, state)

    def update_k(self, k: FloatArray | ItemPool) -> int:
        """Go by other k from the next item on; how many changed.

        Parameters
        ----------
        k
            One for each item of :attr:`pool`, in [0, 1]; or a pool of the same items.

        Raises
        ------
        DataError
            They are no such k, or the pool holds other items: :meth:`refresh` takes those.
        """
        with self._exchanging:
            served = self._served
            if isinstance(k, ItemPool):
                if k.fingerprint != served.pool.fingerprint:
                    raise DataError(
                        f"the pool of {k.name} holds other items than the one that is served."
                        " Take it over with refresh."
                    )
                pool = k
            else:
                try:
                    pool = served.pool.with_k(k)
                except (TypeError, ValueError) as error:
                    raise DataError(f"{error}. Give them in the order of the pool.") from error
            self._served = served.with_k(pool)
            return int(np.count_nonzero(pool.k != served.pool.k))

    def refresh(self, source: ItemPool | Callable[[], ItemPool]) -> Refreshed:
        """Serve another pool from the next item on; tests under way go on with it.

        An item that is gone stays seen in the tests that had it. Where this fails, what was
        served is served still.

        Parameters
        ----------
        source
            The pool, or what loads it: ``lambda: store.load_pool("MATH-1")``.

        Raises
        ------
        DataError
            The pool cannot give the tests.
        """
        pool = source if isinstance(source, ItemPool) else source()
        with self._exchanging:
            before = self._served
            if pool.fingerprint == before.pool.fingerprint:
                served = before.with_k(pool)
            else:
                served = ServedPool.build(pool, before.delivery, before)
            self._served = served
        kept = [key for key in served.keys if key in before.places]
        old, new = before.pool.k, pool.k
        return Refreshed(
            int(sum(old[before.places[key]] != new[served.places[key]] for key in kept)),
            tuple(key for key in served.keys if key not in before.places),
            tuple(key for key in before.keys if key not in served.places),
        )

    def needed(self, seen: Iterable[ItemKey]) -> int:
        """Items that topics of the blueprint still lack; until 0 a test cannot end."""
        served = self._served
        return served.needed(served.given(seen, ()))

    def _call(self, hook: Hook, proposed: Sequence[ItemKey]) -> None:
        for question_id, version in proposed:
            try:
                hook(question_id, version)
            except Exception:  # noqa: BLE001 - whatever it is, the test must go on
                with self._counting:
                    self._hook_failures += 1
                    first = self._hook_failures == 1
                if first:
                    _log.exception("the hook on proposals failed; its failures are counted")


def _after_fork() -> None:
    """A thread that held a lock is none of the new process's, and would never give it back."""
    for each in _selectors:
        each._unlock()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _finite(theta_hat: float) -> float:
    try:
        theta = float(theta_hat)
    except (TypeError, ValueError):
        theta = math.nan
    except OverflowError:  # a whole number of more digits than anybody wants to read
        theta = theta_hat = math.inf
    if not math.isfinite(theta):
        raise DataError(
            f"theta_hat {theta_hat!r} is no finite number: no item can be ranked by it."
        )
    return theta


def _drawn(rng: Dice) -> np.uint64:
    """A key from a generator's next number."""
    draw = rng.random()
    if not 0.0 <= draw < 1.0:
        raise DataError(f"the generator drew {draw!r}, which is outside [0, 1).")
    return np.uint64(int(draw * _BITS))
