"""The kernels, compiled before a request needs them."""

from __future__ import annotations

import threading

from shsim.extras.admin_api.log import Log


class WarmKernels:
    """Compiles or loads every kernel in the background, once.

    Parameters
    ----------
    log
        Told when it is done, or cannot be done.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._done = threading.Event()
        self._stop = threading.Event()

    @property
    def ready(self) -> bool:
        """Whether they are compiled."""
        return self._done.is_set()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, name="shsim-kernels", daemon=True).start()

    def stop(self) -> None:
        """Give up what is not done."""
        self._stop.set()

    def _work(self) -> None:
        # Numba takes a third of a second to load, which `serve` need not wait for.
        from shsim.workflow.warm_up import warm_up

        try:
            warm_up(self._stop)
        except Exception as fault:  # noqa: BLE001 - a thread has nobody to raise to
            if not self._stop.is_set():
                self._log("error", "kernels", f"the kernels cannot be compiled: {fault}")
            return
        if not self._stop.is_set():
            self._done.set()
            self._log("info", "kernels", "the kernels are compiled")
