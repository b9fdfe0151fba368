"""How our commands differ from click's: lazy, sectioned help, every spelling accepted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from shsim.cli.log_lines import speaks_json

#: Option names longer than this get a line of their own in `--help`.
WIDEST_NAMES = 26

#: Whole numbers beyond this are a slip of the keyboard, and no float could hold them.
LARGEST_WHOLE = 10**30


def one_spelling(token: str) -> str:
    """`--dry_run`, as the first script spelled it, is `--dry-run`."""
    return token.replace("_", "-")


class _Plain(click.Parameter):
    """What is a number is written in ASCII digits, which Python alone would not ask for."""

    def __init__(self, *names: Any, **settings: Any) -> None:
        super().__init__(*names, **settings)
        if isinstance(self.type, click.IntRange | click.FloatRange):
            # A word is called no valid "integer range" by click, which is not what is asked for.
            self.type.name = self.type.name.removesuffix(" range")

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Refuse other scripts' digits, 1_000, and whole numbers that nothing could calculate."""
        numeric = isinstance(self.type, click.types.IntParamType | click.types.FloatParamType)
        if numeric and isinstance(value, str) and not (value.isascii() and "_" not in value):
            raise click.BadParameter(
                f"{value!r} is not a number in the digits 0 to 9, without underscores.", ctx, self
            )
        cast = super().type_cast_value(ctx, value)
        if isinstance(cast, int) and abs(cast) > LARGEST_WHOLE:
            raise click.BadParameter("a number of so many digits is beyond all use.", ctx, self)
        return cast


class Number(_Plain, click.Argument):
    """A number that is an argument."""


class Setting(_Plain, click.Option):
    """An option that the environment and a TOML file may set too.

    Parameters
    ----------
    section
        The heading that `--help` lists it under.
    environment
        Whether `SHSIM_<NAME>` is read, for each of its long names.
    fallback
        The default in words, where a lower layer fills it in.
    """

    def __init__(
        self,
        *names: Any,
        section: str = "Options",
        environment: bool = True,
        fallback: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*names, **settings)
        self.section = section
        self.fallback = fallback
        self.keys = tuple(name[2:] for name in self.opts if name.startswith("--"))
        if environment:
            self.envvar = [f"SHSIM_{key.upper().replace('-', '_')}" for key in self.keys]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Add the default that a lower layer fills in."""
        record = super().get_help_record(ctx)
        if record is None or self.fallback is None:
            return record
        return record[0], f"{record[1]}  [default: {self.fallback}]"

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Name the source of a bad value, which need not be the command line."""
        source = ctx.get_parameter_source(self.name or "") if ctx is not None else None
        hint = " / ".join(f"'{name}'" for name in self.opts)
        if source is click.core.ParameterSource.ENVIRONMENT:
            return f"{hint} (from the environment: {' or '.join(self.envvar or ())})"
        if source is click.core.ParameterSource.DEFAULT_MAP:
            return f"{hint} (from --config)"
        return hint


class Command(click.Command):
    """A command whose help lists its options by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one definition list a section, in the order of first appearance."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                section = param.section if isinstance(param, Setting) else "Other"
                sections.setdefault(section, []).append(record)
        column = max(
            len(first)
            for records in sections.values()
            for first, _ in records
            if len(first) <= WIDEST_NAMES
        )
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl([(first.ljust(column), text) for first, text in records])


class LazyGroup(click.Group):
    """A group that loads a command's module when the command is run, not to list it.

    Parameters
    ----------
    lazy
        Command name to its place (``module:attribute``) and short help.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Commands in the order that they are used in."""
        return [*self.lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.lazy[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands with the short helps at hand."""
        records = [(name, short) for name, (_, short) in self.lazy.items()]
        records += [(name, own.get_short_help_str(78)) for name, own in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where no command is named; that is an error, since nothing was done."""
        if not args and not ctx.resilient_parsing:
            if speaks_json():
                ctx.fail("a command is needed.")
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest a command where the name is mistyped."""
        from difflib import get_close_matches

        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            near = get_close_matches(args[0], self.list_commands(ctx))
            ctx.fail(
                f"No such command {args[0]!r}."
                + (f" Did you mean {' or '.join(map(repr, near))}?" if near else "")
            )
        return super().resolve_command(ctx, args)


def given(ctx: click.Context) -> frozenset[str]:
    """Parameters that stood on the command line itself."""
    return frozenset(
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    )
