"""The latch problem: one symbol at the start has to survive until the end."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.parameters import parameter
from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Task, guess


class Latch(Task):
    r"""Recall the first symbol after T steps (after Bengio, Simard & Frasconi 1994).

    .. math::
        x_1 = e_k, \qquad x_t = \sigma\,\varepsilon_t \;\; (t = 2 \dots T), \qquad \text{target} = k

    k is one of K symbols, all equally likely, e_k its one-hot vector, ε_t white Gaussian noise on all K
    channels. Shapes: x [T, B, K], targets [1, B], read at the last step only. The paper has two classes and
    noise that drives a network's single unit; here the symbol is one-hot and K is free.
    """

    kind: Literal["latch"] = "latch"
    symbols: int = parameter(
        2, "symbols", "How many different symbols there are to remember.", bounds=(2, 16), step=1
    )
    noise: float = parameter(
        0.2,
        "noise",
        "Standard deviation of what is read after the first step.",
        bounds=(0, 2),
        step=0.05,
    )

    @property
    def input_size(self) -> int:
        """One channel for each symbol."""
        return self.symbols

    @property
    def output_size(self) -> int:
        """One logit for each symbol."""
        return self.symbols

    def baseline(self, num_steps: int) -> Baseline:
        """Loss ln K, accuracy 1/K."""
        self.check(num_steps)
        return guess(self.symbols, "the first symbol")

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Fresh symbols and fresh noise."""
        first = rng.integers(self.symbols, size=batch_size)
        x = self.noise * rng.standard_normal((num_steps, batch_size, self.symbols))
        x[0] = np.eye(self.symbols)[first]
        return Batch(x, first[None])
