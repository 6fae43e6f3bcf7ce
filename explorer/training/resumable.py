"""One training run from a notebook or a script: with a bar, and resumable from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from explorer.training.checkpoint import load_checkpoint, save_checkpoint
from explorer.training.recipe import Recipe
from explorer.training.training import Training

if TYPE_CHECKING:
    from explorer.training.trainer import Trainer

SECONDS = 2.0  # between two writings of the checkpoint
SHARE = 0.05  # of the time that writing may take: the checkpoints of large networks are written less often


def train(recipe: Recipe, *, checkpoint: str | Path | None = None, progress: bool = False) -> Training:
    """Train a network to the end of its recipe, and record what its gradients do on the way.

    Args:
        recipe: all settings.
        checkpoint: a file that is written every two seconds or so, at the end and when the run is
            interrupted. If it exists the run goes on from it, and ends with the numbers of one that never
            stopped.
        progress: show a bar with the steps a second, the loss and the score.

    Returns:
        The run. One that diverges ends early, and ``diverged`` says when and why.

    Raises:
        ValueError: ``checkpoint`` is no such file, of another version or of another recipe; says which.
        TooLarge: the network would take more than 1 GB; says what to lower.
        OSError: ``checkpoint`` cannot be read or written.
        KeyboardInterrupt: as it came; the checkpoint is whole.
    """
    from tqdm.auto import tqdm

    from explorer.training.trainer import Trainer

    if checkpoint is not None and Path(checkpoint).exists():
        trainer = Trainer.resumed(*load_checkpoint(checkpoint, recipe))
    else:
        trainer = Trainer(recipe)
    training, keeper = trainer.training, _Keeper(trainer, checkpoint)
    keeper.write()  # at once: a folder that cannot be written must not be found out after an hour
    with tqdm(total=recipe.steps, initial=training.step, unit="step", disable=not progress) as bar:
        try:
            while not training.finished:
                trainer.advance(1)
                if progress and training.step > bar.n:
                    said = f"loss {training.loss[-1]:.3g}, {recipe.task.measure} {training.score[-1]:.3g}"
                    bar.set_postfix_str(said, refresh=False)
                    bar.update()
                keeper.write_when_due()
        finally:
            keeper.write()
    return training


class _Keeper:
    """Writes the checkpoint of a run, if there is to be one."""

    def __init__(self, trainer: Trainer, path: str | Path | None) -> None:
        self._trainer, self._path, self._due = trainer, path, 0.0

    def write(self) -> None:
        """Now, unless an interrupt fell into a change of the weights: then the file stays as it was."""
        if self._path is None or not self._trainer.whole:
            return
        start = monotonic()
        save_checkpoint(self._path, self._trainer.training, self._trainer.snapshot())
        end = monotonic()
        self._due = end + max(SECONDS, (end - start) / SHARE)

    def write_when_due(self) -> None:
        """If the last time was long enough ago."""
        if monotonic() >= self._due:
            self.write()
