"""Seq2Seq: every choice that decides an encoder–decoder before it is trained, and nothing else."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np

from explorer.parameters import Parameters, parameter

CellKind = Literal["rnn", "lstm", "gru"]
StartKind = Literal["zeros", "last", "backward", "first"]
AttentionKind = Literal["none", "additive", "dot", "general", "concat", "local", "hard"]
EstimatorKind = Literal["reinforce", "baseline", "straight_through"]


class Seq2Seq(Parameters):
    r"""An encoder–decoder, described completely: the same settings give the same network everywhere.

    .. math::
        h_i &= \text{encoder}(x_1 \dots x_{T_e})_i, \qquad s_j = \text{cell}(y_{j-1}, c_j, s_{j-1}) \\
        c_j &= \sum_i \alpha_{ji} h_i, \qquad p(y_j \mid y_{<j}, x) = \text{softmax}(V o_j + d)

    The encoder has H units for each direction, the decoder H. ``explorer.seq2seq.translator`` has the
    equations of each part. Raises ``pydantic.ValidationError`` naming the field, the value and what is
    allowed.
    """

    cell: CellKind = parameter(
        "rnn",
        "cell",
        "What one step of the encoder and of the decoder computes, as in PyTorch.",
        names={"rnn": "tanh RNN", "lstm": "LSTM", "gru": "GRU"},
    )
    hidden_size: int = parameter(
        64,
        "hidden size H",
        "Number of units of the decoder and of each direction of the encoder.",
        bounds=(2, 256),
        options=(2, 4, 8, 16, 32, 64, 128, 256),
    )
    embedding_size: int = parameter(
        32,
        "embedding size",
        "How many numbers stand for a token.",
        bounds=(2, 128),
        options=(2, 4, 8, 16, 32, 64, 128),
    )
    layers: int = parameter(
        1, "layers", "How many recurrent layers encoder and decoder have.", bounds=(1, 4), step=1
    )
    bidirectional: bool = parameter(
        False, "bidirectional encoder", "Whether a second cell reads the source from its end."
    )
    dropout: float = parameter(
        0.0,
        "dropout",
        "Probability with which a number that enters a layer from below is set to 0; the rest is scaled up.",
        bounds=(0, 0.9),
        step=0.05,
    )
    residual: bool = parameter(
        False,
        "residual connections",
        "Whether a layer's input is added to its output, from the second layer on.",
    )
    start: StartKind = parameter(
        "last",
        "start state s₀",
        "Where the decoder starts; with no backward encoder tanh(W·h) takes the state after the last token.",
        names={
            "zeros": "zeros",
            "last": "last state of the forward encoder",
            "backward": "tanh(W·h₁) of the backward encoder",
            "first": "tanh(W·h₁) of the forward encoder",
        },
    )
    attention: AttentionKind = parameter(
        "additive",
        "attention",
        "How the decoder weighs the encoder's states: hard attention draws one, all other kinds are soft, a "
        "weighted mean, and global but for local-p, which looks at a window.",
        names={
            "none": "none",
            "additive": "additive (Bahdanau)",
            "dot": "dot (Luong)",
            "general": "general (Luong)",
            "concat": "concat (Luong)",
            "local": "local-p (Luong)",
            "hard": "hard (Xu)",
        },
    )
    window: int = parameter(
        3,
        "window D",
        "Local attention looks at this many positions to each side of its centre.",
        bounds=(1, 10),
        step=1,
    )
    estimator: EstimatorKind = parameter(
        "baseline",
        "gradient of a hard choice",
        "How hard attention learns where to look, since a drawn position has no derivative.",
        names={
            "reinforce": "REINFORCE",
            "baseline": "REINFORCE with baseline",
            "straight_through": "straight-through",
        },
    )
    bos: bool = parameter(
        True,
        "‹bos›",
        "Whether the decoder first reads ‹bos›, a token whose embedding is learned; else it reads zeros.",
    )
    eos: bool = parameter(
        True,
        "‹eos›",
        "Whether targets end with ‹eos›, by which the decoder stops; else it has to be stopped from outside.",
    )
    seed: int = parameter(0, "seed", "All random numbers follow from it.", bounds=(0, 9999), step=1)

    @property
    def annotation_size(self) -> int:
        """Numbers in h_i: H, or 2H with both directions."""
        return (1 + self.bidirectional) * self.hidden_size

    def rng(self, stream: str) -> np.random.Generator:
        """The random numbers of one purpose; different streams are independent of each other."""
        return np.random.default_rng([self.seed, *stream.encode()])

    def canonical(self) -> str:
        """One string per setting, equal if and only if the settings are equal; the key of caches."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
