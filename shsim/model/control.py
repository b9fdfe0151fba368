"""How exposure is controlled: Sympson-Hetter, or what other programmes use instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shsim.errors import DataError

ControlKind = Literal["none", "sh", "randomesque", "progressive", "restricted", "eligibility"]

CONTROLS: tuple[ControlKind, ...] = get_args(ControlKind)
_BY_NAME: Mapping[str, ControlKind] = {kind: kind for kind in CONTROLS}

#: What is understood, for messages and help.
SPELLINGS = "none, sh, randomesque:K, progressive, restricted or eligibility"

_PATTERN = re.compile(
    r"\s*(?P<kind>[a-z]+)\s*(?::\s*(?P<size>[0-9]{1,9})\s*)?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Control:
    """How the next item is kept from being the most informative one every time.

    Attributes
    ----------
    kind
        `none`: it never is. `sh`: each item is accepted with its own probability, the k in
        force (Sympson & Hetter 1985). `randomesque`: one of the `size` most informative
        items left, each equally likely (Kingsbury & Zara 1989). `progressive`: weights of
        chance at first and of information in the end; `restricted`: no item that a share
        tau of the examinees so far has seen (Revuelta & Ponsoda 1998). `eligibility`:
        items are drawn to be eligible for an examinee, in the light of how many have seen
        them so far (van der Linden & Veldkamp 2004, 2007; not conditional on ability).
    size
        Of `randomesque`; else 0.
    """

    kind: ControlKind
    size: int = 0

    @classmethod
    def parse(cls, text: str) -> Control:
        """Read a spelling such as ``sh`` or ``randomesque:5``.

        Raises
        ------
        DataError
            The spelling is unknown.
        """
        match = _PATTERN.fullmatch(text)
        kind = _BY_NAME.get(match["kind"].lower()) if match is not None else None
        if match is None or kind is None:
            raise DataError(f"control {text!r} is not understood. Write one of: {SPELLINGS}.")
        size = int(match["size"] or 0)
        if kind == "randomesque" and size == 0:
            raise DataError(
                f"control {text!r}: randomesque takes how many items to choose among, 1 or more."
                " Write one: randomesque:5."
            )
        if kind != "randomesque" and match["size"] is not None:
            raise DataError(f"control {text!r}: {kind} takes no number. Write {kind}.")
        return cls(kind, size)

    @property
    def spelling(self) -> str:
        """As :meth:`parse` reads it."""
        return f"{self.kind}:{self.size}" if self.kind == "randomesque" else self.kind

    @property
    def by_acceptance(self) -> bool:
        """Whether items are accepted by a table of k: those in force, or all 1."""
        return self.kind in {"none", "sh"}

    @property
    def in_order(self) -> bool:
        """Whether a test depends on those of earlier examinees."""
        return self.kind in {"restricted", "eligibility"}


NO_CONTROL, SYMPSON_HETTER = Control("none"), Control("sh")

#: What is compared when nothing is named: every kind, randomesque among the five best.
EVERY_CONTROL = tuple(Control(kind, 5 if kind == "randomesque" else 0) for kind in CONTROLS)
