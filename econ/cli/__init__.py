"""The ``econ`` command. Each subcommand lives in a module of its own, imported only when it is called."""

from __future__ import annotations

import importlib
import io
import os
import sys
import time

import click

from econ import __version__

# name -> one-line help; the module econ.cli.<name> holds a click command called `command`.
COMMANDS = {
    "init": "Make a folder to work in, outside a clone.",
    "download": "Fetch the benchmarks and normalise them to problems.",
    "train": "Train ECON's networks for a benchmark and an agent count.",
    "evaluate": "Play econ-baseline or econ-bne from a checkpoint.",
    "debate": "Run a debate or single-agent baseline.",
    "aggregate": "Gather the metrics into the paper's tables.",
    "results": "What came out so far, in a short table.",
    "compare": "Test any two methods on the same problems, as run and at equal tokens.",
    "figures": "Draw the paper's figures from the tables.",
    "report": "Gather tables and figures on one page.",
    "view": "Serve the page on this machine, and follow a run.",
    "bank": "Record real answers on a grid of actions, to train and play from.",
    "equilibrium": "Certify how far a policy is from equilibrium, on a bank.",
    "regret": "Measure how regret grows with the horizon, on a bank.",
    "solve": "Answer one problem and show it as it happens.",
    "grade": "Grade answers from anywhere.",
    "estimate": "Calls, tokens and money, before spending.",
    "verify": "Check that all results and kept answers are as they were written.",
    "cache": "Look into, move or prune the cache of paid answers.",
    "study": "Studies on the simulated team: does it learn, does refinement help?",
    "audit": "Look through all prompts for golds given away.",
    "doctor": "Is everything here that a run needs?",
    "timing": "Share of a run's wall time with an LLM call in flight.",
}


class LazyGroup(click.Group):
    """Knows its commands' names and help without importing them: ``econ --help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"econ.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="econ")
def group() -> None:
    """ECON: LLM teams coordinated by beliefs, driven to a Bayesian Nash equilibrium.

    \b
    Example: econ solve --benchmark svamp "Tom has 3 apples and buys 4. How many now?"
    """


def main() -> None:
    """Run a command; a fault is one line on stderr and exit code 1, bad usage exit code 2.

    The traceback of a fault that nobody foresaw goes to a file below ``.econ``.
    """
    if sys.platform == "win32":
        sys.exit("econ: error: Windows is not supported (locks and signals are POSIX's) - use it in WSL 2")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed
            stream.reconfigure(errors="backslashreplace")
    try:
        _readable(sys.argv[1:])
        sys.exit(group.main(standalone_mode=False) or 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        fail("interrupted; what was answered is kept, run it again to go on", 130)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except BrokenPipeError:  # who read the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except Exception as fault:
        try:
            line = explained(fault)
        except Exception as unknown:
            line = _unforeseen(unknown)
        fail(line, getattr(fault, "code", 1))


def _readable(arguments: list[str]) -> None:
    """Raises :class:`~econ.errors.EconError` for an argument that is no text."""
    from econ.errors import EconError

    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise EconError(f"the argument '{argument}' is not UTF-8", "give it in UTF-8")


def _unforeseen(fault: BaseException) -> str:
    """One line for a fault that is this program's own, its traceback kept in a file."""
    import traceback

    from econ import paths

    said = f"unforeseen {type(fault).__name__}: {str(fault)[:300]}"
    path = paths.STATE / "errors" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        paths.private()
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", errors="backslashreplace") as log:
            traceback.print_exception(fault, file=log)
    except OSError:
        return f"{said} - its traceback could not be kept"
    return f"{said} - please report it with {path}"


def explained(fault: Exception) -> str:
    """The line for a fault that a user is meant to see, or for the first of tasks that ran together: of the
    project, of a file (full disk, no permission …), of the call cache. Any other is raised as it is."""
    import sqlite3

    from econ import paths
    from econ.errors import EconError

    while isinstance(fault, ExceptionGroup):
        known, unknown = fault.split((EconError, OSError, sqlite3.Error))
        if known is None or unknown is not None:
            raise fault
        fault = known.exceptions[0]
    if isinstance(fault, EconError):
        return str(fault)
    if isinstance(fault, OSError) and fault.errno is not None:
        return f"{fault.filename or 'file system'}: {fault.strerror}"
    if isinstance(fault, sqlite3.Error):
        return str(
            EconError(
                f"the call cache in {paths.STATE / 'cache'} cannot be used: {fault}",
                "stop all jobs and run: econ cache repair",
            )
        )
    raise fault


def fail(line: str, code: int = 1) -> None:
    from econ.terminal import printable

    if sys.stderr is not None:
        click.echo(f"econ: error: {printable(' '.join(line.split()))}", err=True)
    sys.exit(code)
