"""Programs that tests start and no wheel brings: `scripts/lib/programs` lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_LIST = Path(__file__).resolve().parents[1] / "scripts" / "lib" / "programs"

#: Where a Debian user's PATH does not look, and packages put servers.
_SYSTEM_PATH = "/usr/sbin:/usr/local/sbin"


def require_program(package: str) -> str:
    """The path of a listed program; without it the test is skipped, and says what to install."""
    lines = [line.split() for line in _LIST.read_text().splitlines() if not line.startswith("#")]
    (names,) = [names for listed, *names in filter(None, lines) if listed == package]
    path = f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}"
    for name in names:
        found = shutil.which(name, path=path)
        if found is not None:
            return found
    pytest.skip(f"{' or '.join(names)} is not installed (apt-get install {package})")
