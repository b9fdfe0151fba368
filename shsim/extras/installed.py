"""Whether an optional extra is installed, asked before anything of it is imported."""

from __future__ import annotations

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
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
            f" Install it with: {remedy(extra)}"
        )


def remedy(extra: str) -> str:
    """The command that adds an extra to the environment which runs, however that was made.

    It names the extra's packages, and never shsim: PyPI has another project of that name.
    """
    try:
        lines = requires("shsim") or []
    except PackageNotFoundError:  # run from its folder without having been installed
        lines = []
    of_extra = re.compile(rf"""extra\s*==\s*["']{extra}["']""")
    packages = [line.split(";")[0].strip() for line in lines if of_extra.search(line)]
    python = shlex.quote(sys.executable)
    # What `uv tool` makes has no pip.
    pip = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f"{pip} {shlex.join(packages or [f'.[{extra}]'])}"
