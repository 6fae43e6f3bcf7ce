"""What a task is: sequences to read, targets to hit, and a baseline to beat."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from explorer.parameters import Parameters
from explorer.tasks.batch import Baseline, Batch

Measure = Literal["accuracy", "mean squared error"]


class Task(Parameters):
    """Base of all tasks: what a network reads, what it should answer, and at which steps.

    The network answers with outputs o [S, B, O] at the last S = ``read_steps(T)`` of the T steps. For
    classes o are logits and the loss is the cross-entropy −ln softmax(o)[target] in nats; for a number
    (O = 1) the loss is (o − target)². Both are means over the S·B answers.

    Class attributes:
        measure: what ``score`` gives; of accuracy more is better, of the mean squared error less.
        output: whether targets are classes or numbers.
        lengths: smallest and largest allowed T, both included.
    """

    kind: str
    measure: ClassVar[Measure] = "accuracy"
    output: ClassVar[Literal["classes", "number"]] = "classes"
    lengths: ClassVar[tuple[int, int]] = (2, 1000)

    @property
    def input_size(self) -> int:
        """Numbers read at each step, I."""
        raise NotImplementedError

    @property
    def output_size(self) -> int:
        """Numbers answered at each step that is read, O: one for each class, or 1."""
        raise NotImplementedError

    def read_steps(self, num_steps: int) -> int:
        """S, how many of the last steps the loss reads."""
        return 1

    def baseline(self, num_steps: int) -> Baseline:
        """What the best answer without a look at the sequence reaches: expected, or on the test part."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """As ``batch``, for lengths and sizes that have been checked."""
        raise NotImplementedError

    def batch(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """B sequences to train on: fresh ones, or a sample of the training part of real data.

        Raises ValueError that names T or B, its value and what is allowed.
        """
        self.check(num_steps)
        check_batch_size(batch_size)
        return self.draw(rng, num_steps, batch_size)

    def held_out(self, num_steps: int, batch_size: int) -> Batch | None:
        """B sequences of a fixed test part, or as many as it has; None where every batch is fresh."""
        return None

    def notes(self, num_steps: int) -> list[str]:
        """One sentence for everything that is cut, filled up or merged at this length."""
        return []

    def check(self, num_steps: int) -> None:
        """Raises ValueError where the task cannot be posed in T steps, naming value and range."""
        lowest, highest = self.lengths
        if not lowest <= num_steps <= highest:
            raise ValueError(f"num_steps is {num_steps}; the task {self.kind!r} takes {lowest} to {highest}")

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        """How good answers o [S, B, O] are for targets [S, B], in the task's ``measure``.

        Accuracy is the share of answers whose largest logit is that of the target. Raises ValueError for
        other shapes.
        """
        expected = (*targets.shape, self.output_size)
        if outputs.shape != expected:
            raise ValueError(f"outputs have shape {outputs.shape}, but targets and task need {expected}")
        if self.output == "classes":
            return float((outputs.argmax(axis=-1) == targets).mean())
        return float(np.square(outputs[..., 0] - targets).mean())


def check_batch_size(batch_size: int) -> None:
    """Raises ValueError unless there is at least one sequence."""
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1")


def one_hot(codes: np.ndarray, size: int) -> np.ndarray:
    """Codes [T, B] below ``size`` as x [T, B, size] in float64."""
    vectors: np.ndarray = np.eye(size)[codes]
    return vectors


def guess(classes: int, what: str) -> Baseline:
    """The baseline of ``classes`` equally frequent answers: loss ln K, accuracy 1/K."""
    return Baseline(
        loss=float(np.log(classes)),
        score=1 / classes,
        said=f"Guessing {what} without memory is right once in {classes} times.",
    )
