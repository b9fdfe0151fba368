"""Numba's options and the cache of compiled kernels, in one place.

Numba's own cache looks only at the file that defines a function, fails at import
where no folder is writable, and ends the run on a truncated entry or a full disk.
Ours is keyed by every kernel source, the versions and the processor, and a fault in
it costs the time of compiling, never the run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import llvmlite.binding as llvm
import numba
from numba.core import caching

Function = TypeVar("Function", bound=Callable[..., Any])

#: Serial and without the GIL: threads come from above, since Numba's own default
#: layer aborts the process when two Python threads enter it. NumPy's error model
#: leaves division free of branches. No fastmath: it changes the last digits. No
#: reference counts (`_nrt`): kernels allocate nothing, and counting each array at each
#: call of a helper made a walk three to ten times as slow.
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}

#: Kernels whose cached code could not be used or kept, with the reason.
_faults: dict[str, str] = {}
_compiled: list[str] = []
_lock = threading.Lock()


def kernel(function: Function) -> Function:
    """Compile an entry point on first use, or take it from the cache."""
    dispatcher = numba.njit(**_OPTIONS)(function)
    if not numba.config.DISABLE_JIT:
        dispatcher._cache = _KernelCache(function)
    return cast("Function", dispatcher)


def device(function: Function) -> Function:
    """Compile a function that only kernels call; it becomes part of each of them."""
    return cast("Function", numba.njit(**_OPTIONS, forceinline=True)(function))


def rare(function: Function) -> Function:
    """Compile a helper that is called, not inlined: large, or off the beaten track.

    It costs a call of some nanoseconds and saves the compiler its copies.
    """
    return cast("Function", numba.njit(**_OPTIONS)(function))


def cache_folder() -> Path:
    """Where compiled kernels are kept: a folder of its own for each state of the sources."""
    root = os.environ.get("SHSIM_CACHE_DIR")
    if root:
        base = Path(root)
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches" / "shsim"
    else:
        cache = os.environ.get("XDG_CACHE_HOME")
        base = (Path(cache) if cache else _home() / ".cache") / "shsim"
    return base / f"kernels-{_fingerprint()}"


def cache_status() -> tuple[Path, str | None]:
    """The cache folder, and why it cannot be written, or None where it can."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return folder, error.strerror or type(error).__name__
    return folder, None


def is_cached(name: str = "") -> bool:
    """Whether the kernel called `name`, or any, has been compiled for these sources before.

    A guess from names of files, for progress and precautions.
    """
    try:
        return any(cache_folder().glob(f"*{name or '?'}*.nbc"))
    except OSError:
        return False


def cache_faults() -> dict[str, str]:
    """Kernels whose cache entry failed in this process, and why."""
    return dict(_faults)


def compiled_here() -> tuple[str, ...]:
    """Kernels that this process had to compile, in order; empty when all were cached."""
    return tuple(_compiled)


def _home() -> Path:
    """The home folder, or a name that nothing can be written under."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    """A hash of every kernel source and of what compiles and runs them."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    processor = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    versions = (numba.__version__, llvmlite.__version__, platform.python_version())
    digest.update(repr((processor, versions, sys.platform)).encode())
    return digest.hexdigest()[:16]


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Tells Numba our folder; the fingerprint in its name stands for freshness."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._py_file = function.__code__.co_filename
        self._name = f"{function.__module__}.{function.__qualname__}"

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return _fingerprint()

    def get_disambiguator(self) -> str:
        return hashlib.sha256(self._name.encode()).hexdigest()[:8]

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator:  # noqa: ARG003
        return cls(py_func)


class _Implementation(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]  # noqa: RUF012 - Numba's own declaration


class _KernelCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache, in which every fault is a miss."""

    _impl_class = _Implementation

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - a damaged entry may raise anything
            self._fault("could not be read", error)
            return None
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        with _lock:
            _compiled.append(self._impl.filename_base)
        try:
            try:
                super().save_overload(sig, data)
            except Exception:  # noqa: BLE001 - a damaged index would stay so for ever
                self.flush()
                super().save_overload(sig, data)
        except Exception as error:  # noqa: BLE001 - a full disk, a read-only folder
            self._fault("could not be kept", error)

    def _fault(self, what: str, error: Exception) -> None:
        with _lock:
            _faults[self._impl.filename_base] = f"{what}: {error or type(error).__name__}"
