"""Reading a blueprint: the least and the most items of each topic, from TOML or a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shsim.errors import DataError
from shsim.model.blueprint import NONE, Blueprint, TopicRule
from shsim.model.item_pool import NO_TOPIC
from shsim.storage.toml_file import read_toml

#: What a blueprint looks like, for messages.
SHAPE = "Write [topics.10] for each topic, and under it least = 5 and most = 8."

_LARGEST = 2**63 - 1


def read_blueprint(path: str) -> Blueprint:
    """The blueprint in a file; what is possible is for others to say.

    Raises
    ------
    DataError
        The file cannot be read, or holds something else than topics: every problem.
    """
    return blueprint_of(read_toml(Path(path)), path)


def blueprint_of(document: Mapping[str, Any], name: str) -> Blueprint:
    """The blueprint in a document; `name` is what messages call it.

    Raises
    ------
    DataError
        It holds something else than topics: every problem.
    """
    rules: list[TopicRule] = []
    problems = [
        f"{name}: {key!r} is unknown in a blueprint. {SHAPE}" for key in document if key != "topics"
    ]
    topics = document.get("topics", {})
    if not isinstance(topics, dict) or (not topics and not problems):
        problems.append(f"{name}: there are no topics in it. {SHAPE}")
    else:
        for topic, content in topics.items():
            found = list(_wrong(topic, content))
            problems += [f"{name}: topic {topic}: {what} {SHAPE}" for what in found]
            if not found:
                number = NO_TOPIC if topic == NONE else int(topic)
                rules.append(TopicRule(number, content.get("least", 0), content.get("most")))
    counted = Counter(rule.name for rule in rules)
    problems += [
        f"{name}: topic {topic} stands there twice, spelled in two ways. Keep one."
        for topic, count in counted.items()
        if count > 1
    ]
    if problems:
        raise DataError(problems)
    return Blueprint(tuple(rules), name)


def _wrong(name: str, content: Any) -> Iterator[str]:
    """What is wrong with one topic."""
    digits = name.removeprefix("-")
    if name != NONE and not (
        digits.isascii() and digits.isdigit() and len(digits) < 20 and abs(int(name)) <= _LARGEST
    ):
        yield f"it is no whole number, nor {NONE!r}."
    if not isinstance(content, dict) or not content:
        yield "there is no least nor most under it."
        return
    for key, value in content.items():
        if key not in {"least", "most"}:
            yield f"{key!r} is neither least nor most."
        elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            yield f"{key} = {value!r} is no whole number of items."
