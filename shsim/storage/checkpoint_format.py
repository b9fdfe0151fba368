"""The bytes of a checkpoint's file, and back; what makes no sense is refused.

A line ``shsim checkpoint 1``, the SHA-256 of all that follows, a line of JSON, and the
arrays that it lists as little-endian numbers. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from shsim.arrays import AnyArray
from shsim.model.checkpoint import Checkpoint, IterationState, RunIdentity
from shsim.model.results import Accuracy, IterationRecord, Lengths, Measures, Uncontrolled
from shsim.storage.typed_fields import well_typed

MAGIC, _VERSION = b"shsim checkpoint ", b"1"

#: The arrays in their order, and how their numbers are written.
_ARRAYS = (("k", "<f8"), ("log_sum", "<f8"), ("seen", "<i8"))

#: No ln k is less, but that of 0.
_LEAST_LOG = -745


def encoded(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of its file."""
    state = checkpoint.state
    arrays = [np.ascontiguousarray(getattr(state, name), kind) for name, kind in _ARRAYS]
    header = {
        "identity": asdict(checkpoint.identity),
        "origin": checkpoint.origin,
        "done": state.done,
        "averaged": state.averaged,
        "examinees": state.examinees,
        "stopped": state.stopped,
        "items": len(state.k),
        "arrays": _ARRAYS,
        "before": asdict(checkpoint.before),
        # JSON writes the shortest decimals that read back to the same float.
        "history": [list(asdict(record).values()) for record in state.history],
    }
    body = json.dumps(header).encode() + b"\n" + b"".join(array.tobytes() for array in arrays)
    return b"\n".join((MAGIC + _VERSION, hashlib.sha256(body).hexdigest().encode(), body))


def decoded(content: bytes) -> Checkpoint:
    """The checkpoint in a file's bytes.

    Raises
    ------
    ValueError
        They are not what :func:`encoded` made; the message is half a sentence.
    """
    first, _, rest = content.partition(b"\n")
    if not first.startswith(MAGIC):
        cut = MAGIC.startswith(first)
        raise ValueError("it is cut off" if cut else "it is no checkpoint of shsim")
    version = first.removeprefix(MAGIC)
    if version != _VERSION and rest:
        raise ValueError(
            f"it is of format {version[:20].decode('ascii', 'replace')!r},"
            f" and this version of shsim reads format {_VERSION.decode()}"
        )
    checksum, _, body = rest.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ValueError("it is cut off or damaged")
    try:
        return _understood(body)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its content makes no sense") from error


def _understood(body: bytes) -> Checkpoint:
    """The checkpoint in what stands under the checksum."""
    line, _, numbers = body.partition(b"\n")
    header = json.loads(line)
    size = header["items"]
    if header["arrays"] != [list(pair) for pair in _ARRAYS]:
        raise ValueError("other arrays")
    if len(numbers) != sum(np.dtype(kind).itemsize for _, kind in _ARRAYS) * size:
        raise ValueError("another number of items")
    arrays: dict[str, AnyArray] = {}
    at = 0
    for name, kind in _ARRAYS:
        column = np.frombuffer(numbers, kind, size, at)
        arrays[name] = column.astype(column.dtype.newbyteorder("="))
        at += column.nbytes
    state = IterationState(
        done=header["done"],
        averaged=header["averaged"],
        examinees=header["examinees"],
        history=tuple(IterationRecord(*record) for record in header["history"]),
        stopped=header["stopped"],
        **arrays,
    )
    identity = RunIdentity(**header["identity"])
    found = Checkpoint(identity, _measures(header["before"]), header["origin"], state)
    if not (well_typed(found) and _in_range(state)):
        raise ValueError("another kind of value")
    return found


def _in_range(state: IterationState) -> bool:
    """Whether the numbers are such as iterations leave; a nan is in no range."""
    if min(state.done, state.averaged, state.examinees) < 0:
        return False
    logs = state.log_sum
    possible = logs >= _LEAST_LOG * state.averaged
    if state.averaged:
        possible |= logs == -np.inf  # with --floor 0
    return bool(
        np.all((state.k >= 0) & (state.k <= 1))
        and np.all(possible & (logs <= 0))
        and np.all((state.seen >= 0) & (state.seen <= state.examinees))
    )


def _measures(plain: Mapping[str, Any]) -> Measures:
    """Measures as `asdict` took them apart; JSON made lists of their tuples."""
    found = dict(_tuples(plain))
    if found["lengths"] is not None:
        found["lengths"] = Lengths(**_tuples(found["lengths"]))
    if found["accuracy"] is not None:
        found["accuracy"] = Accuracy(**_tuples(found["accuracy"]))
    if found["uncontrolled"] is not None:
        found["uncontrolled"] = _uncontrolled(found["uncontrolled"])
    return Measures(**found)


def _uncontrolled(plain: Mapping[str, Any]) -> Uncontrolled:
    found = dict(plain)
    if found["accuracy"] is not None:
        found["accuracy"] = Accuracy(**_tuples(found["accuracy"]))
    return Uncontrolled(**found)


def _tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in plain.items()}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(inner) for inner in value) if isinstance(value, list) else value
