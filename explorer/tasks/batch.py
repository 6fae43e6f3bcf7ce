"""What a task hands out: sequences with their targets, and what somebody without memory reaches on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Sequences and what the network should say about them.

    Attributes:
        inputs: x [T, B, I] in float64.
        targets: [S, B], int64 classes or float64 numbers; the loss reads the last S of the T steps.
    """

    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Baseline:
    """What the best constant answer reaches, which takes no memory.

    Attributes:
        loss: its loss, the mean over samples and read steps, in nats or as squared error.
        score: its score in the task's measure.
        said: one sentence that names the answer.
    """

    loss: float
    score: float
    said: str
