"""SHSIM_... variables that nothing reads: a slip of the keyboard would change a run unseen."""

from __future__ import annotations

import os

import click

from shsim.cli.config_file import near, settings_by_command
from shsim.cli.log_lines import log, speaks_json
from shsim.cli.streams import say
from shsim.report.plain_text import visible_line

_PREFIX = "SHSIM_"

#: Read elsewhere than by an option; and by our tests alone.
_READ_ELSEWHERE = frozenset({"SHSIM_CACHE_DIR", "SHSIM_JWT_SECRET", "SHSIM_PROPOSALS_DAYS"})
_TESTS = frozenset({"SHSIM_TEST_DSN", "SHSIM_TEST_WHEEL"})


def warn_of_unknown_variables(ctx: click.Context) -> None:
    """Name the variables that no option of any command has; the run goes on without them."""
    names = {name for name in os.environ if name.startswith(_PREFIX)}
    names -= _READ_ELSEWHERE | _TESTS
    if names <= _variables(ctx.command):
        return  # without loading the other commands
    known = dict.fromkeys(_READ_ELSEWHERE)
    for settings in settings_by_command(ctx.find_root()).values():
        for setting in settings.values():
            known |= dict.fromkeys(setting.envvar or ())
    for name in sorted(names - known.keys()):
        sentence = (
            f"{visible_line(name)} is set, and shsim reads no such variable.{near(name, known)}"
        )
        if speaks_json():
            log("warning", "warning", sentence, {})
        else:
            say(f"warning: {sentence}")


def _variables(command: click.Command) -> set[str]:
    return {name for param in command.params for name in param.envvar or ()}
