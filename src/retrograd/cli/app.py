"""The command's entrance: its sub-commands, and how a refusal reaches the person."""

from __future__ import annotations

import sys
from importlib.metadata import version

import typer
from rich.console import Console
from rich.markup import escape

from retrograd.cli.demo import demo
from retrograd.cli.diagnose import diagnose
from retrograd.cli.fix import fix
from retrograd.cli.generate import generate
from retrograd.cli.models import models
from retrograd.cli.signals import ending_in_order
from retrograd.cli.train import train
from retrograd.cli.use import evaluate, explain, predict, report
from retrograd.cli.watch import watch
from retrograd.errors import Interrupted, RetrogradError

__all__ = ["app", "main"]

app = typer.Typer(
    name="retrograd",
    help="Trains neural networks by backpropagation, and shows the error flowing back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (
    train,
    evaluate,
    predict,
    generate,
    explain,
    report,
    watch,
    diagnose,
    fix,
    models,
    demo,
):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _version(
    show: bool = typer.Option(False, "--version", help="Say which version this is."),
) -> None:
    if show:
        typer.echo(f"retrograd {version('retrograd')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; refusals are one message and an exit code, never a traceback.

    0 done, 1 a run that failed, 2 wrong usage or data that cannot be used, 130 Ctrl-C, 143 SIGTERM.
    With `--debug` the traceback comes too.
    """
    with ending_in_order():
        _main()


def _main() -> None:
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments, prog_name="retrograd")
    except RetrogradError as error:
        if debug:
            raise
        mark = "" if isinstance(error, Interrupted) else "[bold red]error:[/] "
        Console(stderr=True, soft_wrap=True).print(f"{mark}{escape(str(error))}", highlight=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, which is its right
        sys.stderr.close()
        sys.exit(0)
