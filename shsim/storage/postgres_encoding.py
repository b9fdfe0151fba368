"""What a database can hold of a text: PostgreSQL's may be in another encoding than UTF-8."""

from __future__ import annotations

import codecs
import re
from typing import Any

#: In psycopg2's table of Python's codecs by PostgreSQL's encodings.
_ANY_BYTES = "SQLASCII"

#: A character of ours that the server's encoding lacks; the other way round it is a stored one.
_OURS = re.compile(r'"UTF8".+"(?!UTF8)\w+"')


def settle_encoding(connection: Any) -> None:
    """Have texts come and go as UTF-8.

    A SQL_ASCII database has taken any bytes, from other programs too. Those that are no text come
    escaped: the server would refuse every row for one of them.
    """
    connection.set_client_encoding("UTF8")
    if connection.info.parameter_status("server_encoding") != "SQL_ASCII":
        return
    from psycopg2.extensions import encodings

    usual = encodings[_ANY_BYTES]
    encodings[_ANY_BYTES] = _FORGIVING.name
    try:
        connection.set_client_encoding("SQL_ASCII")
    finally:
        encodings[_ANY_BYTES] = usual


_FORGIVING = codecs.CodecInfo(
    codecs.utf_8_encode,
    lambda data, _errors="strict": codecs.utf_8_decode(data, "backslashreplace", True),  # noqa: FBT003
    name="shsim_any_bytes",
)
codecs.register(lambda name: _FORGIVING if name == _FORGIVING.name else None)


def codec_of(cursor: Any) -> str:
    """Python's name of the encoding that the database keeps texts in.

    Parameters
    ----------
    cursor
        Of psycopg2, or of sqlite3, which has UTF-8.
    """
    info = getattr(cursor.connection, "info", None)
    encoding = info and info.parameter_status("server_encoding")
    if encoding in {None, "UTF8", "SQL_ASCII"}:  # the last takes what it is sent
        return "utf-8"
    from psycopg2.extensions import encodings

    return str(encodings.get(encoding, "ascii"))


def is_unwritable(error: Any) -> bool:
    """Whether psycopg2's error is a name that the database's encoding has no characters for."""
    return error.pgcode == "22P05" and bool(_OURS.search(error.diag.message_primary or ""))
