"""How the commands begin that compute and save no k, and how they hand their result over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from shsim.cli.output_file import OutputFile
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.delivery import DeliveryRequest, TestRequest
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import Source, file_label, open_source
from shsim.cli.work.taken_files import output_asked
from shsim.model.settings import Settings
from shsim.report.render import DataFormat
from shsim.storage.needs import READING, SIMULATING

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Opened(Generic[S, R_contra]):
    """A run with nothing wrong on its command line, and its items within reach."""

    request: DeliveryRequest
    narrator: Narrator
    settings: S
    source: Source
    output: OutputFile[R_contra] | None

    def write(self, result: R_contra) -> list[str]:
        """End the progress and write the file that was asked for; what is to be said of it."""
        self.narrator.clear()
        if self.output is None:
            return []
        self.output.stage(result)
        self.output.publish()
        return [f"Wrote {file_label(self.output.path)}."]

    def show(self, text: str, sentences: Iterable[str]) -> None:
        """Write the result to stdout; where that is data, its summary's `sentences` to stderr."""
        emit(text)
        if self.request.form != "table":
            for sentence in sentences:
                self.narrator.note(sentence)


@contextmanager
def opened(
    request: DeliveryRequest,
    usage: Iterable[str],
    render: Callable[[R, DataFormat], str],
    settings: Callable[[Problems], S],
    *,
    read_only: bool = True,
) -> Iterator[Opened[S, R]]:
    """Check everything, then open the source.

    Parameters
    ----------
    usage
        What is wrong with the command line, as far as it is known.
    render
        The result as `--output` holds it.
    settings
        Makes the settings; what it cannot read goes to the problems.
    read_only
        Whether the database is only read; the run is put on record where not.
    """
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        problems = Problems(usage)
        output = problems.without(lambda: output_asked(request, render, stack))
        made = settings(problems)
        problems.end_here(request, made)
        needs = READING if read_only else SIMULATING
        source = stack.enter_context(
            open_source(request, narrator, read_only=read_only, needs=needs)
        )
        if isinstance(request, TestRequest):
            request.say_seed(made.delivery, narrator)
        yield Opened(request, narrator, made, source, output)
