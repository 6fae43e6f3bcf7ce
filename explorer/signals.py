"""What the network reads: arrays x of shape [T, B, I], and plain sentences on what was cut or repeated."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, field_validator

from explorer.parameters import Parameters, parameter
from explorer.tasks import TASKS, Task

Drawn = tuple[np.ndarray, list[str]]

_AMPLITUDE: dict[str, Any] = {"bounds": (0, 10), "step": 0.1}


class _Scalar(Parameters):
    """A signal of one number per step."""

    @property
    def input_size(self) -> int:
        """Numbers read at each step."""
        return 1


class Zeros(_Scalar):
    """No input at all: only the initial state and the biases drive the network."""

    kind: Literal["zeros"] = "zeros"

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, 1]."""
        return np.zeros((num_steps, batch_size, 1)), []


class Noise(Parameters):
    """White Gaussian noise, independent for every step, sample and channel."""

    kind: Literal["noise"] = "noise"
    amplitude: float = parameter(1.0, "amplitude", "Standard deviation of the noise.", **_AMPLITUDE)
    channels: int = parameter(
        1,
        "channels",
        "How many numbers the network reads at each step.",
        bounds=(1, 64),
        options=(1, 2, 4, 8, 16, 32, 64),
    )

    @property
    def input_size(self) -> int:
        """Numbers read at each step."""
        return self.channels

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, channels]."""
        return self.amplitude * rng.standard_normal((num_steps, batch_size, self.channels)), []


class Pulse(_Scalar):
    """A single spike: 'what is left of one event?'; its height differs a little between samples."""

    kind: Literal["pulse"] = "pulse"
    step: int = parameter(1, "pulse step", "The step at which the spike arrives.", bounds=(1, 1000), step=1)
    amplitude: float = parameter(1.0, "height", "Mean height of the spike.", **_AMPLITUDE)

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, 1]; heights are amplitude · (1 + 0.1·N(0, 1))."""
        x = np.zeros((num_steps, batch_size, 1))
        x[min(self.step, num_steps) - 1, :, 0] = self.amplitude * (1 + 0.1 * rng.standard_normal(batch_size))
        if self.step <= num_steps:
            return x, []
        return x, [f"The pulse step {self.step} lies beyond the last step: step {num_steps} is used."]


class Sine(_Scalar):
    """A sine wave; every sample starts at its own phase."""

    kind: Literal["sine"] = "sine"
    period: float = parameter(20.0, "period", "Steps in one full wave.", bounds=(2, 500), step=1)
    amplitude: float = parameter(1.0, "amplitude", "Height of the wave.", **_AMPLITUDE)

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, 1]."""
        phase = rng.uniform(0, 2 * np.pi, batch_size)
        angle = 2 * np.pi * np.arange(num_steps)[:, None] / self.period + phase
        return self.amplitude * np.sin(angle)[:, :, None], []


@lru_cache(maxsize=1)
def _digit_pixels() -> np.ndarray:
    """All 1797 handwritten digits as [1797, 64] rows of brightness between 0 and 1."""
    from sklearn.datasets import load_digits

    pixels: np.ndarray = load_digits().data / 16.0
    return pixels


class Digits(_Scalar):
    """Handwritten 8×8 digits (scikit-learn's ``load_digits``) read pixel by pixel, row by row, 64 steps."""

    kind: Literal["digits"] = "digits"

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, 1], brightness between 0 and 1; other lengths than 64 cut the image or end in zeros."""
        pixels = _digit_pixels()
        chosen = pixels[rng.permutation(len(pixels))[:batch_size]]
        x = np.zeros((num_steps, batch_size, 1))
        used = min(num_steps, chosen.shape[1])
        x[:used, :, 0] = chosen[:, :used].T
        if num_steps < chosen.shape[1]:
            return x, [f"A digit has 64 pixels: only the first {num_steps} are read."]
        if num_steps > chosen.shape[1]:
            return x, [f"A digit has 64 pixels: steps 65 to {num_steps} read 0."]
        return x, []


class Text(Parameters):
    """Characters of a text, one-hot; sample b starts b characters later; the text repeats when it ends."""

    kind: Literal["text"] = "text"
    text: str = parameter(
        "the gradient of the loss with respect to a state long ago",
        "text",
        "Read character by character; each different character is one input channel.",
        max_length=5000,
    )

    @property
    def input_size(self) -> int:
        """Numbers read at each step: how many different characters there are, at least 1."""
        return max(1, len(set(self.text)))

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, number of different characters]."""
        if not self.text:
            return np.zeros((num_steps, batch_size, 1)), ["The text is empty: the network reads zeros."]
        alphabet = sorted(set(self.text))
        codes = np.searchsorted(alphabet, list(self.text))
        position = np.arange(num_steps)[:, None] + np.arange(batch_size)
        x = np.eye(len(alphabet))[codes[position % len(codes)]]
        needed = num_steps + batch_size - 1
        if needed <= len(codes):
            return x, []
        return x, [
            f"The text has {len(codes)} characters and {needed} are read: it starts again when it ends."
        ]


class OfTask(Parameters):
    """What the networks of the page Learning read: sequences of a task, drawn as for training."""

    kind: Literal["task"] = "task"
    task: Literal["latch", "adding", "order", "copy", "digits", "text"] = parameter(
        "latch",
        "task",
        "Whose sequences are read.",
        names={kind: label for kind, (label, _) in TASKS.items()},
    )
    settings: str = parameter(
        "",
        "settings of the task",
        'Settings that are not the usual ones, such as {"symbols": 4}.',
        max_length=20_000,
    )

    @field_validator("settings")
    @classmethod
    def _an_object(cls, text: str) -> str:
        """Written in one way only."""
        found = json.loads(text) if text else {}  # a ValueError says where it is no JSON
        if not isinstance(found, dict):
            raise ValueError('the settings of a task look like {"symbols": 4}')
        return json.dumps(found, sort_keys=True) if found else ""

    @property
    def _posed(self) -> tuple[Task, list[str]]:
        """The task, and a sentence where its settings do not fit."""
        kind = TASKS[self.task][1]
        try:
            return kind.model_validate(json.loads(self.settings or "{}")), []
        except ValidationError as error:
            wrong = ", ".join(str(part["loc"][0]) for part in error.errors() if part["loc"])
            said = f"The task {self.task} does not take {wrong or 'these settings'}: its own are used."
            return kind.model_validate({}), [said]

    @property
    def input_size(self) -> int:
        """Numbers read at each step."""
        return self._posed[0].input_size

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Drawn:
        """x [T, B, I]; a length that the task does not have is cut from a longer one, or ends in zeros."""
        task, notes = self._posed
        steps = _nearest_length(task, num_steps)
        if steps is None:  # an own text that is too short
            x = np.zeros((num_steps, batch_size, task.input_size))
            return x, [*notes, f"The task {self.task} cannot be posed: the network reads zeros."]
        x = np.zeros((num_steps, batch_size, task.input_size))
        used = min(steps, num_steps)
        x[:used] = task.batch(rng, steps, batch_size).inputs[:used]
        if steps != num_steps:
            notes.append(f"The task {self.task} is posed in {steps} steps: {used} of them are read.")
        return x, notes + task.notes(steps)


def _nearest_length(task: Task, num_steps: int) -> int | None:
    """The next longer length in which a task can be posed, else the next shorter; None if there is none."""
    low, high = task.lengths
    for steps in (*range(max(num_steps, low), high + 1), *range(min(num_steps, high), low - 1, -1)):
        try:
            task.check(steps)
        except ValueError:
            continue
        return int(steps)
    return None


Signal = Annotated[Zeros | Noise | Pulse | Sine | Digits | Text | OfTask, Field(discriminator="kind")]

SIGNALS: dict[str, tuple[str, type[Parameters]]] = {
    "noise": ("noise", Noise),
    "zeros": ("zeros", Zeros),
    "pulse": ("pulse", Pulse),
    "sine": ("sine", Sine),
    "digits": ("handwritten digits", Digits),
    "text": ("text", Text),
    "task": ("task of Learning", OfTask),
}
