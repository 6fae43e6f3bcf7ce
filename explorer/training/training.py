"""Training: what one training run recorded so far."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from explorer.training.recipe import Recipe
from explorer.weights import Weights

CURVES = ("loss", "score", "norm_before", "norm_after")


@dataclass(frozen=True)
class Snapshot:
    """All that decides how a run goes on.

    Attributes:
        weights: by name, those of the cell and of the readout.
        optimizer: "weight name/key" → the optimiser's state, e.g. ``weight_hh/exp_avg``; {} before step 1.
    """

    weights: Weights
    optimizer: dict[str, np.ndarray]


@dataclass(frozen=True)
class Moment:
    """What was recorded at one training step.

    Attributes:
        step: k, after k updates of the weights.
        decades: [T+1]; gates: [G, T]; eigenvalues: [blocks, H], see ``Training``.
        held_out_score: NaN where the task has no held-out data.
        snapshot: weights and optimiser, to go on from here.
    """

    step: int
    decades: np.ndarray
    gates: np.ndarray
    eigenvalues: np.ndarray
    held_out_score: float
    snapshot: Snapshot


def _no_curves() -> dict[str, array[float]]:
    return {name: array("d") for name in CURVES}


@dataclass
class Training:
    """One training run so far; it grows while a ``Trainer`` advances it.

    Curves have one entry for each step done, [step]; entry k−1 belongs to step k, whose batch was number k−1.
    What is recorded has one entry for each recorded step, [R].

    Attributes:
        recipe: all settings.
        curves: name of ``CURVES`` → one number for each step done; read them as ``loss``, ``score``, ….
        moments: what was recorded, in order.
        diverged: "" or a sentence: at which step the run had to stop, and why.
    """

    recipe: Recipe
    curves: dict[str, array[float]] = field(default_factory=_no_curves)
    moments: list[Moment] = field(default_factory=list)
    diverged: str = ""

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.curves[CURVES[-1]])

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do: all steps are done, or the run diverged."""
        return self.step >= self.recipe.steps or bool(self.diverged)

    @property
    def loss(self) -> np.ndarray:
        """Loss of each step's batch before its update, in nats or as squared error, [step]."""
        return self._curve("loss")

    @property
    def score(self) -> np.ndarray:
        """Score of each step's batch before its update, in the task's measure, [step]."""
        return self._curve("score")

    @property
    def norm_before(self) -> np.ndarray:
        """‖∂L/∂(all trained weights)‖ before clipping, [step]."""
        return self._curve("norm_before")

    @property
    def norm_after(self) -> np.ndarray:
        """The same after clipping, [step]."""
        return self._curve("norm_after")

    def _curve(self, name: str) -> np.ndarray:
        return np.array(self.curves[name][: self.step])

    @property
    def recorded(self) -> np.ndarray:
        """Steps recorded so far, [R]: ``recipe.moments`` up to now, and the last of a run that diverged."""
        return np.array([moment.step for moment in self.moments], dtype=np.int64)

    @property
    def held_out_score(self) -> np.ndarray:
        """Score on sequences that are never trained on, [R]; NaN where every batch is fresh anyway."""
        return np.array([moment.held_out_score for moment in self.moments])

    @property
    def decades(self) -> np.ndarray:
        r""":math:`\log_{10}\lVert\partial L/\partial h_t\rVert`, median over the probe's sequences, [R, T+1].

        L is the loss of one sequence of a fixed batch of 16. −inf is an exact zero, NaN no number at all.
        """
        return np.array([moment.decades for moment in self.moments])

    @property
    def gates(self) -> np.ndarray:
        """Mean of each gate over units and the probe's sequences at every time step, [R, G, T]."""
        return np.array([moment.gates for moment in self.moments])

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of each block of W_hh, [R, blocks, H] complex64."""
        return np.array([moment.eigenvalues for moment in self.moments])

    def weights(self, r: int = -1) -> Weights:
        """Weights at ``recorded[r]``: torch's names, ``readout.weight`` [O, H] and ``readout.bias`` [O]."""
        return self.moments[r].snapshot.weights

    def append(self, **values: float) -> None:
        """One more step: a number for each curve."""
        for name in CURVES:
            self.curves[name].append(values[name])

    def cut(self, recorded_step: int) -> Snapshot:
        """Forget all that came after a recorded step; returns what the run goes on from.

        Raises ValueError for a step that is not recorded; names those that are.
        """
        known = self.recorded.tolist()
        if recorded_step not in known:
            raise ValueError(
                f"step {recorded_step} is not recorded; recorded are {', '.join(map(str, known))}"
            )
        del self.moments[known.index(recorded_step) + 1 :]
        for curve in self.curves.values():
            del curve[recorded_step:]
        self.diverged = ""
        return self.moments[-1].snapshot
