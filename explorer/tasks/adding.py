"""The adding problem: two numbers far apart have to be added."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Measure, Task


class Adding(Task):
    r"""Add the two marked numbers of a sequence (Hochreiter & Schmidhuber 1997).

    .. math::
        x_t = (u_t, m_t), \quad u_t \sim \mathcal U(0, 1), \quad m_t = [t \in \{p, q\}], \qquad
        \text{target} = u_p + u_q

    with p drawn from the first ⌊T/2⌋ steps and q from the others, as Arjovsky, Shah & Bengio (2016) do; Le,
    Jaitly & Hinton (2015) also draw numbers between 0 and 1, the original ones lie between −1 and 1. Shapes:
    x [T, B, 2], targets [1, B], numbers between 0 and 2, read at the last step only.
    """

    kind: Literal["adding"] = "adding"
    measure: ClassVar[Measure] = "mean squared error"
    output: ClassVar[Literal["classes", "number"]] = "number"

    @property
    def input_size(self) -> int:
        """The number and its mark."""
        return 2

    @property
    def output_size(self) -> int:
        """The sum."""
        return 1

    def baseline(self, num_steps: int) -> Baseline:
        """Always 1: the error is the variance of two uniform numbers, 2/12 (not the often quoted 0.1767)."""
        self.check(num_steps)
        return Baseline(
            loss=1 / 6,
            score=1 / 6,
            said="Always answering 1, the mean of the sum, leaves its variance 1/6 as the squared error.",
        )

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Fresh numbers and fresh marks."""
        half, samples = num_steps // 2, np.arange(batch_size)
        x = np.zeros((num_steps, batch_size, 2))
        x[:, :, 0] = rng.random((num_steps, batch_size))
        marked = np.stack(
            [rng.integers(half, size=batch_size), rng.integers(half, num_steps, size=batch_size)]
        )
        x[marked, samples, 1] = 1
        return Batch(x, x[marked, samples, 0].sum(axis=0, keepdims=True))
