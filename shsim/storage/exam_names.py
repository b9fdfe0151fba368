"""What is said of an exam, or of an item, that is not there."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping

from shsim.errors import DataError, NotFoundError, UsageError

#: Exams named in a message; the rest is counted.
_NAMED = 20

#: Characters of an exam code in such a list.
_LONGEST = 60


def require_spelling(exam: str) -> None:
    """Refuse an exam code that no database could hold."""
    try:
        exam.encode()
    except UnicodeEncodeError:
        raise UsageError(f"exam {exam!a} is not written in UTF-8. Correct --exam.") from None
    if not exam or "\0" in exam:
        raise UsageError(f"exam {exam!a} is no exam code. Correct --exam.")


def require_new_name(exam: str) -> None:
    """Refuse to make an exam that nobody could type or tell from another; those there are stay.

    Any letter and sign is good, of whatever script.
    """
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in exam):
        wrong = "has a control character or a line break in it"
    elif exam != exam.strip():
        wrong = "begins or ends with a space" if exam.strip() else "is blank"
    else:
        return
    raise UsageError(f"exam {exam!a} {wrong}. Give --exam another name to import under.")


def shown(exam: object) -> str:
    """An exam code that another program may have written, short enough for a list.

    SQLite gives what stands there, and that may be no text at all.
    """
    text = str(exam)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def no_item(question_id: int, version: int, label: str) -> NotFoundError:
    """Why an item has no k to be set."""
    return NotFoundError(f"item {question_id}/{version} is unknown in {label}.")


def no_items(exam: str, label: str, exams: Mapping[str, int]) -> DataError:
    """Why an exam has no pool: it is unknown, publishes nothing, or its code is no text."""
    if exams.get(exam) and "\\" in exam:  # its bytes come escaped
        return DataError(
            f"exam {exam} in {label} cannot be asked for: its exam_code in question_publications"
            " is not written in UTF-8. Correct it there."
        )
    if exam in exams:
        return DataError(
            f"exam {exam} in {label} is empty: none of its live versions is published."
            " Publish items, or import them with `shsim import`."
        )
    if not exams:
        return NotFoundError(
            f"exam {exam} is unknown: {label} holds no exam. Make one with `shsim import`,"
            " or the demo exam with `shsim db demo`."
        )
    there_are = named(exams)
    return NotFoundError(f"exam {exam} is unknown in {label}. The exams there are: {there_are}.")


def named(exams: Collection[str]) -> str:
    """The first exams by name, and how many more there are."""
    names = ", ".join(map(shown, list(exams)[:_NAMED]))
    return names + (f" and {len(exams) - _NAMED:,} more" if len(exams) > _NAMED else "")
