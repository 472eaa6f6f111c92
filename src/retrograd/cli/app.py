"""The command's entrance: its sub-commands, and how a refusal reaches the person.

What a command needs besides its options is imported when it runs, so that its first words and its
help do not wait for JAX.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

import typer
from rich.console import Console
from typer.exceptions import TyperException

from retrograd.cli.demo import demo
from retrograd.cli.diagnose import diagnose
from retrograd.cli.fix import fix
from retrograd.cli.generate import generate
from retrograd.cli.models import models
from retrograd.cli.options import PlainCommand
from retrograd.cli.signals import ending_in_order
from retrograd.cli.speech import say
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
    context_settings={"help_option_names": ["-h", "--help"]},
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
    app.command(cls=PlainCommand)(command)


@app.callback(invoke_without_command=True)
def _version(
    show: bool = typer.Option(False, "--version", metavar="", help="Say which version this is."),
) -> None:
    if show:
        typer.echo(f"retrograd {version('retrograd')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; refusals are one message and an exit code, never a traceback.

    0 done, 1 a run that failed or has findings, 2 wrong usage or data that cannot be used, 130
    Ctrl-C, 143 SIGTERM. With `--debug` the traceback comes too.
    """
    with ending_in_order():
        _main()


def _main() -> None:
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, prog_name="retrograd", standalone_mode=False) or 0
        if code == 130:
            _refuse("Interrupted.", "")
        sys.exit(code)
    except RetrogradError as error:
        if debug:
            raise
        _refuse(str(error), "" if isinstance(error, Interrupted) else _ERROR)
        sys.exit(error.exit_code)
    except TyperException as error:
        _refuse(f"{_sentence(error)} `{_asked(arguments)} -h` shows what there is.")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # outside of a command
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, which is its right
        sys.stderr.close()
        sys.exit(0)


_ERROR = "[bold red]error:[/] "


def _refuse(text: str, mark: str = _ERROR) -> None:
    say(Console(stderr=True), text, mark)


def _sentence(error: TyperException) -> str:
    text = error.format_message().strip()
    return text if text.endswith((".", "?", ")")) else f"{text}."


def _asked(arguments: list[str]) -> str:
    """The command that was asked for, or the whole."""
    known = {each.callback.__name__ for each in app.registered_commands if each.callback}
    return f"retrograd {arguments[0]}" if arguments and arguments[0] in known else "retrograd"
