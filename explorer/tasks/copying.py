"""The copy problem: a whole string has to be kept and then written again."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.parameters import parameter
from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Task, guess, one_hot


class Copy(Task):
    r"""Write n symbols again after a delay (Hochreiter & Schmidhuber 1997; as in Arjovsky et al. 2016).

    .. math:: x = s_1 \dots s_n \;\; \underbrace{\square \dots \square}_{D-1} \;\; \triangleright \;\;
        \underbrace{\square \dots \square}_{n}, \qquad \text{targets} = s_1 \dots s_n, \qquad T = D + 2n

    The s are drawn from K symbols; □ is a blank, ▷ says that now is the time. Shapes: x [T, B, K + 2] one-hot
    (symbols, blank, ▷), targets [n, B], read at the last n steps.

    The paper's loss also reads the T − n steps before, where the answer is always a blank. Here it does not,
    so chance is ln K and not n ln K / T, and the task is easier: with n = D = 10 an orthogonal tanh network
    of 64 units learned it in 1500 steps of Adam, which it did not in 2500 with the paper's loss; an LSTM with
    a forget bias of 3 was right for 88 % of the symbols after 2500.
    """

    kind: Literal["copy"] = "copy"
    symbols: int = parameter(
        8, "symbols", "How many different symbols there are to copy.", bounds=(2, 16), step=1
    )
    length: int = parameter(10, "copied length", "How many symbols are to be copied.", bounds=(1, 20), step=1)

    @property
    def input_size(self) -> int:
        """The symbols, the blank and the sign to begin."""
        return self.symbols + 2

    @property
    def output_size(self) -> int:
        """One logit for each symbol."""
        return self.symbols

    def read_steps(self, num_steps: int) -> int:
        """The copied length."""
        return self.length

    def check(self, num_steps: int) -> None:
        """T must leave a delay of at least 1."""
        super().check(num_steps)
        if num_steps <= 2 * self.length:
            raise ValueError(
                f"num_steps is {num_steps}; copying length={self.length} symbols takes at least "
                f"{2 * self.length + 1}"
            )

    def baseline(self, num_steps: int) -> Baseline:
        """Loss ln K, accuracy 1/K."""
        self.check(num_steps)
        return guess(self.symbols, "each symbol")

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Fresh symbols."""
        symbols = rng.integers(self.symbols, size=(self.length, batch_size))
        codes = np.full((num_steps, batch_size), self.symbols)
        codes[: self.length] = symbols
        codes[num_steps - self.length - 1] = self.symbols + 1
        return Batch(one_hot(codes, self.input_size), symbols)
