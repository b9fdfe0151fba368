"""The options that commands share, with the first script's names and spellings.

A default that belongs to the calculation is not repeated here: what is left out stays
None, and `shsim.model.settings` fills it. The help quotes it, and a test compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from shsim.cli.command import Setting
from shsim.cli.config_file import load_config
from shsim.cli.environment import warn_of_unknown_variables
from shsim.cli.log_lines import FORMATS, choose

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

SOURCE = "Where the items come from"
TEST = "The test that is simulated"
ESTIMATE = "Estimated ability, stopping and content"
RULE = "The calibration"
OUTPUT = "What comes out"


def setting(*names: str, section: str, **attributes: Any) -> Callable[[F], F]:
    """Declare a `Setting`."""
    return click.option(*names, cls=Setting, section=section, **attributes)


def together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, listed in their order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


dsn = setting(
    "--dsn",
    section=SOURCE,
    metavar="DSN",
    help="Database: postgresql://USER@HOST/NAME, a libpq 'key=value' string or sqlite:///PATH."
    " Else SHSIM_DSN is read, then DATABASE_URL, else a SQLite file in the user's data"
    " directory. Keep passwords out of it: the process list shows it. Use PGPASSFILE, PGPASSWORD"
    " or SHSIM_DSN.",
)
exam = setting(
    "--exam",
    "--exam-code",
    "exam",
    section=SOURCE,
    metavar="CODE",
    help="Exam code. With the embedded database it may be left out while that holds one exam.",
)
config = setting(
    "--config",
    section="Other",
    metavar="FILE.toml",
    type=click.Path(),
    is_eager=True,
    expose_value=False,
    callback=load_config,
    help="Read options from a TOML file: names as here, at its top or under [COMMAND].",
)


def _choose_and_warn(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """From here on stderr has its format, and what is wrong outside can be told in it."""
    choose(value)
    warn_of_unknown_variables(ctx)


quiet = setting(
    "--quiet",
    section="Other",
    is_flag=True,
    help="No notes and no progress on stderr; warnings and errors stay.",
)
log_format = setting(
    "--log-format",
    section="Other",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    # Eager, and after --config, which may set it: what else is wrong is told in this format.
    is_eager=True,
    expose_value=False,
    callback=_choose_and_warn,
    help="What stderr gets. json: one object a line for each note, warning, error and step, and a"
    " last one with the exit code; no progress bar.",
)
messages = together(quiet, log_format)
database = together(dsn, config, messages)

redis = setting(
    "--redis",
    "--redis-url",
    "redis",
    section=SOURCE,
    metavar="URL",
    help="Redis in which selectors count their proposals: redis://HOST:PORT/0, rediss:// or"
    " unix:///PATH. Keep passwords out of it: the process list shows it. Use SHSIM_REDIS_URL.",
)
pool = setting(
    "--pool",
    section=SOURCE,
    metavar="FILE|-",
    type=click.Path(allow_dash=True),
    help="Take the pool from a CSV file (- is stdin) instead of a database; nothing is saved.",
)
tau = setting(
    "--tau",
    section=TEST,
    type=float,
    metavar="RATE",
    help="The cap: largest exposure rate wanted.",
    fallback="0.2",
)
length = setting(
    "--len",
    "--test-len",
    "length",
    section=TEST,
    type=int,
    metavar="N",
    help="Items a test.",
    fallback="30",
)


def ability(text: str) -> Callable[[F], F]:
    """`--ability`, of which not every command takes all."""
    return setting(
        "--ability",
        section=TEST,
        type=click.Choice(["true", "eap", "map", "mle", "wle"]),
        metavar="KIND",
        help=text,
        fallback="true",
    )


delivered = together(
    setting(
        "--theta",
        "--theta-dist",
        "theta",
        section=TEST,
        metavar="DIST",
        default="normal:0,1",
        show_default=True,
        help="True ability: normal:MU,SD, uniform:LO,HI, fixed:X or file:PATH (one a line).",
    ),
    setting(
        "--rejection",
        section=TEST,
        type=click.Choice(["position", "examinee"]),
        metavar="KIND",
        help="What a rejected item does; must be what the live selector does. position: it may"
        " be proposed again at the next position (QBank). examinee: it is set aside for the"
        " rest of that test (Sympson & Hetter 1985).",
        fallback="position",
    ),
    setting(
        "--scale",
        section=TEST,
        type=float,
        metavar="D",
        help="Scaling constant of the 3PL.",
        fallback="1.7",
    ),
)
seed = setting(
    "--seed",
    section=TEST,
    type=int,
    metavar="N",
    help="The same seed gives the same bytes. Left out, one is drawn and printed.",
)
estimated = together(
    setting(
        "--start",
        section=ESTIMATE,
        type=float,
        metavar="THETA",
        help="The estimate before the first response.",
        fallback="the mean of --theta",
    ),
    setting(
        "--prior",
        section=ESTIMATE,
        metavar="DIST",
        help="What eap and map believe before the first response, spelled like --theta.",
        fallback="--theta",
    ),
    setting(
        "--se-stop",
        section=ESTIMATE,
        type=float,
        metavar="SE",
        help="End a test once the standard error of its estimate is at most this.",
    ),
    setting(
        "--min-len",
        section=ESTIMATE,
        type=int,
        metavar="N",
        help="The fewest items, with --se-stop.",
        fallback="1",
    ),
    setting(
        "--max-len",
        section=ESTIMATE,
        type=int,
        metavar="N",
        help="The most items, with --se-stop.",
        fallback="30",
    ),
    setting(
        "--blueprint",
        section=ESTIMATE,
        type=click.Path(),
        metavar="FILE.toml",
        help="The least and the most items of each topic in every test: [topics.10], least = 5,"
        " most = 8; [topics.none] is for items without a topic. Works with --ability true too.",
    ),
)
any_ability = ability(
    "The ability that ranks the items; must be what the live test does. true: the examinee's own."
    " eap, map, mle, wle: estimated anew after each simulated response."
)
untargeted_test = together(length, any_ability, delivered, seed, estimated)
test = together(length, tau, any_ability, delivered, seed, estimated)
bounds = together(
    setting("--floor", section=RULE, type=float, metavar="K", help="Smallest k.", fallback="0.001"),
    setting("--ceil", section=RULE, type=float, metavar="K", help="Largest k.", fallback="1"),
)
tol = setting(
    "--tol",
    section=RULE,
    type=float,
    metavar="SHARE",
    help="Relative excess over tau that counts as none.",
    fallback="0.01",
)
nodes = setting(
    "--nodes",
    section=TEST,
    type=int,
    metavar="N",
    help="Quadrature nodes of theta, where expected exposure is computed without noise.",
    fallback="8000",
)
threads = setting(
    "--threads",
    section="Other",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Threads to use; the answer does not depend on it.",
    fallback="one a processor",
)
wait = setting(
    "--wait",
    section=OUTPUT,
    type=click.IntRange(min=0),
    metavar="SECONDS",
    default=0,
    help="Where another run has the exam, wait for its end, so long at most, and begin then: with"
    " the k that it left. Without, end at once with 4 and say who has it.",
)
result = together(
    setting(
        "--format",
        "form",
        section=OUTPUT,
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="What stdout gets: a summary, one row an item or point, or everything.",
    ),
    setting(
        "--output",
        section=OUTPUT,
        metavar="FILE",
        type=click.Path(),
        help="Write FILE.csv or FILE.json too, whole or not at all.",
    ),
)
