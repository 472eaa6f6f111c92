"""How training shows how far it is: a live line in a terminal, or a line an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from retrograd.training import Callback, Epoch, History

if TYPE_CHECKING:
    from retrograd.training import Trainer

__all__ = ["LiveProgress", "PlainLines", "reporter", "with_progress"]


def reporter(console: Console) -> list[Callback]:
    """The callback that suits where the output goes; none for a console that is quiet."""
    if console.quiet:
        return []
    return [LiveProgress(console) if console.is_terminal else PlainLines(console)]


def with_progress(callbacks: Sequence[Callback], is_shown: bool) -> list[Callback]:
    """The callbacks, and if it is to be shown one that says how far training is."""
    return [*callbacks, *(reporter(Console()) if is_shown else [])]


class LiveProgress(Callback):
    """One live line: epochs done, losses, the time that is left if all epochs are run."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}  {task.fields[losses]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._steps_per_epoch = 1

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        self._steps_per_epoch = steps_per_epoch
        self.task = self.progress.add_task(
            "training",
            total=epochs * steps_per_epoch,
            completed=trainer.steps,
            epoch=len(trainer.history.epochs),
            epochs=epochs,
            losses="compiling",
        )
        self.progress.start()

    def on_batch_end(self, trainer: Trainer, losses: Any) -> None:
        self.progress.update(self.task, completed=trainer.steps)

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        best = trainer.history.best
        self.progress.update(
            self.task,
            epoch=epoch.epoch,
            losses=f"loss {epoch.train_loss:.4g}, held out {epoch.validation_loss:.4g}"
            + (
                f" (best {best.validation_loss:.4g})" if best is not None and not epoch.best else ""
            ),
        )

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        self.progress.stop()


class PlainLines(Callback):
    """One line an epoch, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._epochs = 0

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        self._epochs = epochs
        self._first: tuple[int, float] | None = None

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        # The first epoch compiles; it says nothing of the time that the others take.
        first, at = self._first = self._first or (epoch.epoch, epoch.seconds)
        left = ""
        if epoch.epoch > first:
            each = (epoch.seconds - at) / (epoch.epoch - first)
            left = f"  at most {each * (self._epochs - epoch.epoch):.0f} s left"
        self.console.print(
            f"epoch {epoch.epoch}/{self._epochs}  loss {epoch.train_loss:.4g}  held out "
            f"{epoch.validation_loss:.4g}{' *' if epoch.best else ''}{left}",
            highlight=False,
        )
