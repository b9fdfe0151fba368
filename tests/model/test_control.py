"""Controls as they are spelled."""

from __future__ import annotations

import pytest

from shsim.errors import DataError
from shsim.model.control import CONTROLS, EVERY_CONTROL, Control


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("none", "none"),
        ("sh", "sh"),
        ("SH ", "sh"),
        ("randomesque:5", "randomesque:5"),
        (" Randomesque : 05 ", "randomesque:5"),
        ("progressive", "progressive"),
        ("restricted", "restricted"),
        ("eligibility", "eligibility"),
    ],
)
def test_spellings(text: str, spelling: str) -> None:
    control = Control.parse(text)
    assert control.spelling == spelling
    assert Control.parse(control.spelling) == control


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write one of: none, sh, randomesque:K, progressive, restricted or eligibility."),
        ("sympson", "Write one of: none, sh, randomesque:K"),
        ("sh:0.2", "Write one of: none, sh, randomesque:K"),
        ("sh:2", "sh takes no number"),
        ("randomesque", "how many items to choose among, 1 or more"),
        ("randomesque:0", "how many items to choose among, 1 or more"),
        ("randomesque:-1", "Write one of"),
        ("randomesque:1.5", "Write one of"),
        ("randomesque:9999999999", "Write one of"),
    ],
)
def test_what_is_no_control(text: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        Control.parse(text)
    assert repr(text) in str(caught.value)
    assert words in str(caught.value)


def test_a_comparison_has_every_kind() -> None:
    assert tuple(control.kind for control in EVERY_CONTROL) == CONTROLS
    assert [control.kind for control in EVERY_CONTROL if control.in_order] == [
        "restricted", "eligibility",
    ]  # fmt: skip
