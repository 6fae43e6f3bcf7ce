"""Where the loss enters: L = Σ_t w_t Σ_b v·h_t[b] with a fixed unit readout v.

A linear readout keeps the subject in view: ∂L/∂h_t at the step where the loss enters is v itself, of
norm 1, and everything before it is the recurrent network's doing.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from explorer.parameters import Parameters, parameter


class Last(Parameters):
    """Many-to-one: the loss reads the last hidden state only."""

    kind: Literal["last"] = "last"

    def weights(self, num_steps: int) -> tuple[np.ndarray, list[str]]:
        """w_t for t = 0 … T, and sentences on what had to be changed."""
        weights = np.zeros(num_steps + 1)
        weights[-1] = 1
        return weights, []


class Every(Parameters):
    """Many-to-many: the loss reads every hidden state with the same weight."""

    kind: Literal["every"] = "every"

    def weights(self, num_steps: int) -> tuple[np.ndarray, list[str]]:
        """w_t for t = 0 … T, and sentences on what had to be changed."""
        weights = np.ones(num_steps + 1)
        weights[0] = 0
        return weights, []


class Step(Parameters):
    """The loss reads the hidden state of one chosen step."""

    kind: Literal["step"] = "step"
    step: int = parameter(
        50, "loss step", "The one step whose hidden state the loss reads.", bounds=(1, 1000), step=1
    )

    def weights(self, num_steps: int) -> tuple[np.ndarray, list[str]]:
        """w_t for t = 0 … T, and sentences on what had to be changed."""
        weights = np.zeros(num_steps + 1)
        weights[min(self.step, num_steps)] = 1
        if self.step <= num_steps:
            return weights, []
        return weights, [f"The loss step {self.step} lies beyond the last step: step {num_steps} is used."]


Loss = Annotated[Last | Every | Step, Field(discriminator="kind")]

LOSSES: dict[str, tuple[str, type[Parameters]]] = {
    "last": ("last step (many-to-one)", Last),
    "every": ("every step (many-to-many)", Every),
    "step": ("one chosen step", Step),
}
