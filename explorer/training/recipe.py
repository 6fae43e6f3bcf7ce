"""Recipe: every choice that decides a training run, and nothing else."""

from __future__ import annotations

import json
from math import prod
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from explorer.experiment import Experiment
from explorer.parameters import Parameters, parameter
from explorer.tasks import TASKS, AnyTask, Latch
from explorer.tasks.batch import Batch

_MOST, _LEAST = 60, 10  # gaps between two records of a run
_APART = 6  # a record comes after the time of six at the earliest
HELD_OUT = 24_000  # time steps of held-out sequences that are read for a record
PROBE = 16  # sequences of the fixed batch on which gradients over time are recorded
_SNAPSHOTS = 64 * 2**20  # bytes that a run keeps to be rewound
_COPIES = 3  # of all weights in one snapshot: the weights and, for Adam, two averages of each


class Recipe(Parameters):
    """One training run, described completely: the same recipe gives the same run everywhere.

    The experiment gives cell, sizes, initial weights, held gates, seed and float type. Its ``num_steps`` is
    T, its ``batch_size`` the number of sequences of a training step; its signal and its loss are not used,
    the task stands in their place. ``experiment`` and ``task`` may be given as dicts. Raises
    ``pydantic.ValidationError`` (a ValueError) naming the field, the value and what is allowed.

    For input weights of standard deviation σ set ``experiment.input_scale`` to σ·√(3H), because those of
    PyTorch are uniform in ±1/√H: 1.386 for σ = 0.1 and H = 64.
    """

    experiment: Experiment = parameter(
        Experiment(hidden_size=32, num_steps=60, batch_size=32, dtype="float32"),
        "experiment",
        "The network before training: cell, sizes, initial weights, seed.",
    )
    task: AnyTask = parameter(
        Latch(),
        "task",
        "What the network has to learn.",
        names={kind: label for kind, (label, _) in TASKS.items()},
    )
    optimizer: Literal["adam", "sgd", "rmsprop"] = parameter(
        "adam",
        "optimiser",
        "Which of PyTorch's rules turns a gradient into a step of the weights.",
        names={"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"},
    )
    learning_rate: float = parameter(
        3e-3,
        "learning rate",
        "Multiplies every step of the weights.",
        bounds=(1e-5, 1),
        options=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0),
    )
    clip: Literal["none", "norm", "value"] = parameter(
        "none",
        "clipping",
        "How a large gradient is shortened before the step; a vanished one stays as it is.",
        names={"none": "none", "norm": "by norm", "value": "by value"},
    )
    clip_at: float = parameter(
        1.0,
        "clip at",
        "The largest norm of the whole gradient, or the largest size of each of its entries.",
        bounds=(1e-3, 1e3),
        options=(1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e3),
    )
    steps: int = parameter(
        300,
        "training steps",
        "How many batches the network is trained on.",
        bounds=(1, 20000),
        options=(50, 100, 200, 300, 500, 1000, 1500, 2000, 3000, 5000, 10000, 20000),
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """One cell, and a length that the task can be posed in."""
        if self.experiment.network.kind != "single":
            raise ValueError(
                f"experiment.network is {self.experiment.network.kind!r}; training takes one cell, 'single'"
            )
        self.task.check(self.experiment.num_steps)
        return self

    @property
    def trains_cell(self) -> bool:
        """False for the echo-state cell: its reservoir stays as it is drawn, only the readout learns."""
        return self.experiment.cell.kind != "echo"

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of all weights: those of the cell, ``readout.weight`` and ``readout.bias``."""
        cell, size, answers = self.experiment.cell, self.experiment.hidden_size, self.task.output_size
        rows = cell.blocks * size
        return {
            "weight_ih": (rows, self.task.input_size),
            "weight_hh": (rows, size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
            **dict.fromkeys(cell.vectors, (size,)),
            "readout.weight": (answers, size),
            "readout.bias": (answers,),
        }

    @property
    def moments(self) -> np.ndarray:
        """Steps k at which the run is recorded, after k updates of the weights: 0, …, ``steps``, [R].

        Evenly spaced up to the last gap: 61 times at most, and so rarely that recording takes about a
        seventh of the time or less, but about 11 times in the shortest runs. Fewer, though at least three,
        where 64 MB would not hold the weights and the optimiser's state as often.
        """
        numbers = sum(map(prod, self.weight_shapes.values()))
        each = numbers * _COPIES * np.dtype(self.experiment.dtype).itemsize
        gaps = min(_MOST, max(_LEAST, round(self.steps / (_APART * self._cost_of_record))))
        gaps = min(gaps, max(2, _SNAPSHOTS // each - 1))
        return np.append(np.arange(0, self.steps, -(-self.steps // gaps)), self.steps)

    @property
    def _cost_of_record(self) -> float:
        """About how many training steps take as long as one record, measured with the LSTM's fast ones.

        The probe's two passes in float64, one pass over held-out sequences, the eigenvalues.
        """
        steps, batch = self.experiment.num_steps, self.experiment.batch_size
        held_out = self.held_out()
        sequences = 2 * PROBE + (0 if held_out is None else held_out.targets.shape[1] / 3)
        return (sequences + 60 * self.experiment.hidden_size / steps) / batch

    def held_out(self) -> Batch | None:
        """The sequences of the task that are never trained on and read for each record, if it has any."""
        steps = self.experiment.num_steps
        return self.task.held_out(steps, max(1, HELD_OUT // steps))

    def canonical(self) -> str:
        """One string per recipe, equal if and only if the recipes are equal; the key of caches."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
