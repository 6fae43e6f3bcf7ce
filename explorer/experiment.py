"""Experiment: every choice that decides a result, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from pydantic import field_validator

from explorer.cells import CELLS, AnyCell
from explorer.cells.rnn import RNN
from explorer.holds import format_holds, parse_holds
from explorer.initializers import INITIALIZERS, Initializer, Uniform
from explorer.layouts import LAYOUTS, Layout, Single
from explorer.losses import LOSSES, Last, Loss
from explorer.parameters import Parameters, parameter
from explorer.signals import SIGNALS, Noise, Signal
from explorer.stored_weights import NAME


def _labels(registry: Mapping[str, tuple[str, type[Parameters]]]) -> dict[str, str]:
    """Kind → name on screen."""
    return {kind: label for kind, (label, _) in registry.items()}


class Experiment(Parameters):
    """One run, described completely: the same experiment gives the same numbers everywhere.

    Every default that PyTorch also has is PyTorch's. Weights are ``scale · base(seed)``: moving a scale
    changes nothing else. Groups (``cell``, ``initializer``, ``signal``, ``loss``, ``network``) may be given
    as dicts with a ``kind``. Raises ``pydantic.ValidationError`` naming the field, the value and what is
    allowed.
    """

    cell: AnyCell = parameter(
        RNN(), "cell", "The recurrent architecture: what one step computes.", names=_labels(CELLS)
    )
    hidden_size: int = parameter(
        64,
        "hidden size N",
        "Number of hidden units.",
        bounds=(2, 512),
        options=(2, 4, 8, 16, 32, 64, 128, 256, 512),
    )
    num_steps: int = parameter(
        100,
        "time steps T",
        "Length of the sequence that the network reads.",
        bounds=(2, 1000),
        options=(2, 5, 10, 20, 50, 64, 100, 150, 200, 300, 500, 750, 1000),
    )
    batch_size: int = parameter(
        16,
        "batch size",
        "How many sequences are read at once; curves show their median and spread.",
        bounds=(1, 64),
        options=(1, 2, 4, 8, 16, 32, 64),
    )
    initializer: Initializer = parameter(
        Uniform(),
        "initialisation",
        "How the recurrent matrix W_hh is drawn before the weight scale multiplies it.",
        names=_labels(INITIALIZERS),
    )
    weight_scale: float = parameter(
        1.0, "weight scale", "Multiplies the whole recurrent matrix W_hh.", bounds=(0, 4), step=0.01
    )
    input_scale: float = parameter(
        1.0,
        "input scale",
        "Multiplies the input matrix W_ih, drawn as PyTorch does.",
        bounds=(0, 10),
        step=0.05,
    )
    bias_scale: float = parameter(
        1.0,
        "random biases",
        "Multiplies the random part of both biases, drawn as PyTorch does; 0 leaves the biases set by hand.",
        bounds=(0, 10),
        step=0.1,
    )
    initial_scale: float = parameter(
        0.0,
        "initial state",
        "Standard deviation of the random initial state; PyTorch starts at 0.",
        bounds=(0, 10),
        step=0.1,
    )
    signal: Signal = parameter(
        Noise(), "input", "What the network reads at each step.", names=_labels(SIGNALS)
    )
    loss: Loss = parameter(Last(), "loss", "Which hidden states the loss reads.", names=_labels(LOSSES))
    hold: str = parameter(
        "",
        "held gates",
        "Gates held at a value, such as forget=1@10-40#3; input=0 (gate = value @ steps # unit).",
        max_length=500,
    )
    trained: str = parameter(
        "",
        "trained weights",
        "Name of trained weights in the place of drawn ones, from the page Learning; empty for drawn ones.",
        max_length=16,
    )
    network: Layout = parameter(
        Single(), "network", "How copies of the cell are put together.", names=_labels(LAYOUTS)
    )
    seed: int = parameter(0, "seed", "All random numbers follow from it.", bounds=(0, 9999), step=1)
    dtype: Literal["float64", "float32"] = parameter(
        "float64",
        "precision",
        "Floating-point type of the run: float64 has 16 digits, float32 has 7.",
        names={"float64": "float64", "float32": "float32"},
    )

    @field_validator("hold")
    @classmethod
    def _readable(cls, text: str) -> str:
        """One way to write the same holds."""
        return format_holds(parse_holds(text))

    @field_validator("trained")
    @classmethod
    def _a_name_of_weights(cls, text: str) -> str:
        if text and not re.fullmatch(NAME, text):
            raise ValueError("the name of trained weights has 16 digits 0-9, a-f")
        return text

    def canonical(self) -> str:
        """One string per experiment, equal if and only if the experiments are equal; the key of caches."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))

    def changed(self, path: str, value: Any) -> Self:
        """A copy with one field changed.

        ``path`` is a name such as ``weight_scale`` or ``cell.forget_bias``; a group takes its kind,
        ``changed("cell", "lstm")``, and then starts from that kind's defaults.
        """
        data = self.model_dump()
        parent, dot, name = path.rpartition(".")
        group = data.get(parent) if dot else data
        if not isinstance(group, dict) or name not in group:
            known = ", ".join(group) if isinstance(group, dict) else ", ".join(data)
            raise ValueError(f"{path!r} is not a setting; there are {known}")
        group[name] = {"kind": value} if isinstance(group[name], dict) and isinstance(value, str) else value
        return type(self).model_validate(data)

    def alone(self) -> Self:
        """The same with one cell alone in place of a network."""
        return self if self.network == Single() else self.model_copy(update={"network": Single()})

    def rng(self, stream: str) -> np.random.Generator:
        """A generator of its own for each named stream, so that a change of one draw leaves all others."""
        return np.random.default_rng([self.seed, *stream.encode()])

    def to_url(self) -> str:
        """The query string that holds every setting which is not a default."""
        from explorer.link import to_query

        return to_query(self)

    @classmethod
    def from_url(cls, query: str) -> tuple[Experiment, list[str]]:
        """The experiment of a query string or URL, and one sentence for everything that was rejected."""
        from explorer.link import from_query

        return from_query(query)
