"""Whether an optional extra is installed, asked before anything of it is imported."""

from __future__ import annotations

from importlib.util import find_spec

from shsim.errors import MissingExtraError

#: What each extra brings, by the names that are imported.
BROUGHT = {
    "api": ("fastapi", "uvicorn", "jwt", "cryptography", "prometheus_client"),
    "redis": ("redis",),
}


def require_extra(extra: str, purpose: str) -> None:
    """Raise where an extra is not, or not wholly, installed.

    Parameters
    ----------
    extra
        Its name in `BROUGHT`.
    purpose
        What was asked for: ``shsim serve``.

    Raises
    ------
    MissingExtraError
        Names the command to type.
    """
    missing = [name for name in BROUGHT[extra] if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{purpose} needs the extra '{extra}' ({', '.join(missing)} missing)."
            f" Install it with: pip install 'shsim[{extra}]'"
        )
