"""Real disks that are small enough to fill."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

MakeDisk = Callable[[int], Path]


def mount(folder: Path, kilobytes: int) -> None:
    """Mount one; where that cannot be, root is needed or a container forbids it."""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        if subprocess.run(mounting, capture_output=True, check=False).returncode == 0:
            return
    pytest.skip("no small disk can be made here")


def unmount(folder: Path) -> None:
    """At once for everybody; for good when the last file is closed, by a slow record perhaps."""
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, room: int = 0) -> None:
    """Leave so many bytes free, in whole pages; once more, and the room is another."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by nothing else
        file.truncate(max(0, file.tell() - room))


def empty(folder: Path) -> None:
    """Make room again."""
    (folder / "ballast").unlink()
