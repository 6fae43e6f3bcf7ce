"""The temporal order problem: what matters is not only what came, but in which order."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from explorer.parameters import parameter
from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Task, guess, one_hot

# Codes of the eight input symbols: the two that matter, four distractors, begin and end.
X, A, BEGIN, END = 0, 2, 6, 7
# Where the relevant symbols may stand, in percent of T.
_WINDOWS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


class TemporalOrder(Task):
    r"""Say in which order the symbols X and Y came (Hochreiter & Schmidhuber 1997, experiments 6a and 6b).

    A sequence is B, then distractors a, b, c, d at random, and at last E. At n = 2 or 3 steps there is an X
    or a Y in place of the distractor, and the class is their order, 2ⁿ classes: for two XX, XY, YX, YY.

    .. math:: \text{class} = \sum_{j=1}^{n} 2^{\,n-j}\, [s_j = Y]

    The steps are drawn from the paper's windows as shares of T: 10–20 % and 50–60 % of the sequence, or
    10–20 %, 33–43 % and 66–76 %. Shapes: x [T, B, 8] one-hot in the order X, Y, a, b, c, d, B, E; targets
    [1, B], read at the last step only. The paper's lengths vary from 100 to 110; here all are T.
    """

    kind: Literal["order"] = "order"
    relevant: int = parameter(
        2,
        "relevant symbols",
        "How many X and Y there are in a sequence: two make 4 classes, three make 8.",
        bounds=(2, 3),
        step=1,
    )
    lengths: ClassVar[tuple[int, int]] = (10, 1000)

    @property
    def input_size(self) -> int:
        """X, Y, four distractors, begin and end."""
        return 8

    @property
    def output_size(self) -> int:
        """One logit for each order."""
        return 1 << self.relevant

    def windows(self, num_steps: int) -> list[tuple[int, int]]:
        """For each relevant symbol the range [first, end) of positions from 0 where it may stand."""
        self.check(num_steps)
        return [
            (low * num_steps // 100, max(high * num_steps // 100, low * num_steps // 100 + 1))
            for low, high in _WINDOWS[self.relevant]
        ]

    def baseline(self, num_steps: int) -> Baseline:
        """Loss ln 2ⁿ, accuracy 2⁻ⁿ."""
        self.check(num_steps)
        return guess(self.output_size, "the order")

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Fresh symbols, distractors and positions."""
        codes = rng.integers(A, BEGIN, size=(num_steps, batch_size))
        codes[0], codes[-1] = BEGIN, END
        target = np.zeros(batch_size, dtype=np.int64)
        for low, end in self.windows(num_steps):
            is_y = rng.integers(2, size=batch_size)
            codes[rng.integers(low, end, size=batch_size), np.arange(batch_size)] = X + is_y
            target = 2 * target + is_y
        return Batch(one_hot(codes, self.input_size), target[None])
