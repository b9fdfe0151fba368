"""`--config`: a TOML file that gives options other values, below the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from shsim.cli.command import Setting
from shsim.cli.series import Series
from shsim.errors import DataError, UsageError

#: Options that say what one run may do, and must be typed for it.
TYPED_ONLY = frozenset({"force", "from-run", "config", "help", "version"})

#: Characters of a key that may be a misspelled option's.
_LONGEST = 60

_LEFT_ASIDE = "shsim.cli.config_file.left_aside"

_READ = "shsim.cli.config_file.read"

_SERIES = "a number, a list of numbers or a range in quotes"


def load_config(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Read the file into click's `default_map`; the callback of an eager option.

    Raises
    ------
    UsageError
        The file cannot be read, or a key is unknown or of the wrong type: every one.
    """
    if value is None:
        return
    ctx.meta[_READ] = value
    document = _read(Path(value))
    root = ctx.find_root()
    command = _command_name(ctx)
    problems: list[str] = []
    every = settings_by_command(root)
    top = {key: item for key, item in document.items() if not isinstance(item, dict)}
    known_anywhere = {key: param for keys in every.values() for key, param in keys.items()}
    # A name means the same to every command but sweep, whose tau may be a list.
    known = known_anywhere | every.get(command, {})
    chosen = dict(_checked(value, "", top, known, problems))
    for table, content in document.items():
        if not isinstance(content, dict):
            continue
        if table not in every:
            problems.append(f"{value}: [{table}] is no command.{near(table, every)}")
            continue
        checked = dict(_checked(value, f"[{table}] ", content, every[table], problems))
        if table == command:
            chosen.update(checked)
    if problems:
        raise UsageError("\n".join(problems))
    own = {key: p.name for p in ctx.command.params if isinstance(p, Setting) for key in p.keys}
    ctx.default_map = {own[key]: item for key, item in chosen.items() if key in own}
    ctx.meta[_LEFT_ASIDE] = frozenset(chosen) - frozenset(own)


def left_aside(ctx: click.Context) -> frozenset[str]:
    """Keys of the file that other commands have and this one has not."""
    found: frozenset[str] = ctx.meta.get(_LEFT_ASIDE, frozenset())
    return found


def config_read() -> str | None:
    """The file that the command at work has read, if any."""
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(_READ)


def _read(path: Path) -> dict[str, Any]:
    from shsim.storage.toml_file import read_toml

    try:
        return read_toml(path)
    except DataError as error:
        raise UsageError(f"--config {error}") from error


def _command_name(ctx: click.Context) -> str:
    """The command's name as the root group knows it (`db` for `db init`)."""
    while ctx.parent is not None and ctx.parent.parent is not None:
        ctx = ctx.parent
    return ctx.info_name or ""


def settings_by_command(root: click.Context) -> dict[str, dict[str, Setting]]:
    """Every command's options by their keys, a group's from all its commands."""
    group = root.command
    if not isinstance(group, click.Group):
        return {}
    return {
        name: {key: param for param in _settings(root, group, name) for key in param.keys}
        for name in group.list_commands(root)
    }


def _settings(ctx: click.Context, group: click.Group, name: str) -> Iterator[Setting]:
    command = group.get_command(ctx, name)
    if isinstance(command, click.Group):
        for inner in command.list_commands(ctx):
            yield from _settings(ctx, command, inner)
    elif command is not None:
        yield from (param for param in command.params if isinstance(param, Setting))


def _checked(
    path: str,
    place: str,
    content: Mapping[str, Any],
    known: Mapping[str, Setting],
    problems: list[str],
) -> Iterator[tuple[str, Any]]:
    """The keys that are right, with hyphens; what is wrong with the others."""
    for key, item in content.items():
        name = key.replace("_", "-")
        if name in TYPED_ONLY:
            problems.append(f"{path}: {place}{key} must be typed on the command line.")
        elif name not in known:
            problems.append(f"{path}: {place}{key} is no option.{near(name, known)}")
        elif (wanted := _wanted(known[name])) and not _fits(item, wanted):
            problems.append(f"{path}: {place}{key} = {item!r} is not {wanted}.")
        else:
            yield name, item


def _wanted(param: Setting) -> str:
    if param.is_flag:
        return "true or false"
    if isinstance(param.type, Series):
        return _SERIES
    if isinstance(param.type, click.types.IntParamType):
        return "a whole number"
    if isinstance(param.type, click.types.FloatParamType):
        return "a number"
    return "a string"


def _fits(item: Any, wanted: str) -> bool:
    if wanted == _SERIES and isinstance(item, list):
        return bool(item) and all(_fits(each, "a number") for each in item)
    if wanted == "true or false":
        return isinstance(item, bool)
    if isinstance(item, bool):
        return False
    kinds: dict[str, tuple[type, ...]] = {"a whole number": (int,), "a number": (int, float)}
    kinds[_SERIES] = (int, float, str)
    return isinstance(item, kinds.get(wanted, (str,)))


def near(name: str, known: Mapping[str, Any]) -> str:
    """A question whether another name was meant, or nothing."""
    if len(name) > _LONGEST:  # it was no slip of the keyboard
        return ""
    found = get_close_matches(name, known)
    return f" Did you mean {' or '.join(found)}?" if found else ""
