"""Passwords blotted out of what is said: the last defence, where a DSN is met unawares.

What reads a DSN quotes none of it. But a DSN may stand where nobody looks for one: in place of
an exam or a file, without its option, or in an exception of a library.
"""

from __future__ import annotations

import os
import re

#: ``scheme://user:password@``; a raw password may hold an @ or a / itself.
_IN_URL = re.compile(r"(?P<head>\b[A-Za-z][\w.+-]*:/{1,3}[^\s:@/'\"]*:)\S*@")

#: ``password=``, as libpq has it in a string or in the query of a URL. Where a quoted one ends
#: nobody knows who meets it quoted once more: it is blotted to the end of the line.
_NAMED = re.compile(r"(?P<head>(?i:\w*(?:password|passwd|pwd))\s*=\s*)(?:['\"\\].*|\S+)")
#: A shorter one stands in other words.
_TELLING = 6


def blotted(text: str) -> str:
    """`text` with *** for what is a password by its place, or is the one of PGPASSWORD."""
    text = _NAMED.sub(r"\g<head>***", _IN_URL.sub(r"\g<head>***@", text))
    known = os.environ.get("PGPASSWORD", "")
    return text.replace(known, "***") if len(known) >= _TELLING else text
