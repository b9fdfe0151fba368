"""The stages of a run in words."""

from __future__ import annotations

from collections.abc import Mapping

from shsim.workflow.watch import Stage

STAGE_WORDS: Mapping[Stage, str] = {
    "compiling": "compiling",
    "before": "measuring the k in force",
    "calibrating": "calibrating",
    "verifying": "verifying",
    "simulating": "simulating",
    "explaining": "finding the reasons",
    "sweeping": "sweeping",
}
