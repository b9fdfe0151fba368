"""Passwords blotted out of what is said: the last defence, where a DSN is met unawares.

What reads a DSN quotes none of it. But a DSN may stand where nobody looks for one: in place of
an exam or a file, without its option, or in an exception of a library.
"""

from __future__ import annotations

import os
import re

#: ``scheme://user:``; what follows in the same word, up to its last @, is a password, which may
#: hold an @ or a / itself.
_WORD = re.compile(r"\S+")
_IN_URL = re.compile(r"(?<=[\w.+-]):/{1,3}[^\s:@/'\"]*:")

#: ``password=``, as libpq has it in a string or in the query of a URL. Where a quoted one ends
#: nobody knows who meets it quoted once more: it is blotted to the end of the line.
_NAMED = re.compile(r"(?P<head>(?i:password|passwd|pwd)\s*=\s*)(?:['\"\\].*|\S+)")
#: A shorter one stands in other words.
_TELLING = 6


def blotted(text: str) -> str:
    """`text` with *** for what is a password by its place, or is the one of PGPASSWORD."""
    text = _NAMED.sub(r"\g<head>***", _WORD.sub(_without_password, text))
    known = os.environ.get("PGPASSWORD", "")
    return text.replace(known, "***") if len(known) >= _TELLING else text


def _without_password(word: re.Match[str]) -> str:
    """A word, blotted where it is a URL. In linear time: a message can be ten megabytes."""
    text = word[0]
    end = text.rfind("@")
    head = _IN_URL.search(text, 0, max(end, 0))
    return f"{text[: head.end()]}***{text[end:]}" if head else text
