"""What a run that was ended, or a power cut, may have left of a file of ours."""

from __future__ import annotations


def is_left_over(begins: bytes, ours: bytes) -> bool:
    """Whether a file that begins so was being written by us, and came to nothing or to its end.

    Parameters
    ----------
    begins
        Its first bytes, all of it perhaps. A full disk cuts them short; a power cut leaves zeros
        where what was written had not come down to the disk.
    ours
        What each file of ours begins with.
    """
    return ours.startswith(begins[: len(ours)]) or not begins.strip(b"\0")
