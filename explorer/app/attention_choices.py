"""What a person chooses on the page Attention: an encoder–decoder, how it is looked at; part of the view."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.settings import CellKind, EstimatorKind, Seq2Seq, StartKind

LONGEST = 40
"""Most tokens of a source or a target on this page."""
FEW = 8
"""Most tokens of a source whose scores are moved by hand."""


def _as_in_network(name: str) -> Any:
    """The field of ``Seq2Seq`` with its bounds, label and sentence."""
    return copy(Seq2Seq.model_fields[name])


KINDS: dict[str, str] = {
    kind: label
    for kind, label in _as_in_network("attention").json_schema_extra["names"].items()
    if kind != "none"
}
"""Kind of attention → its name; without attention there is none."""


class AttentionChoices(Parameters):
    """The encoder–decoder, its sequences, and what is shown of it."""

    attention: Literal["map", "score", "training", "objectives", "memory", "wirings"] = parameter(
        "map",
        "attention",
        "Which question is asked.",
        names={
            "map": "Gradient map",
            "score": "One score",
            "training": "Training",
            "objectives": "Objectives",
            "memory": "Memory network",
            "wirings": "Wirings",
        },
    )
    attn_on: bool = parameter(True, "attention", "Whether the decoder looks at all states of the encoder.")
    attn_kind: Literal["additive", "dot", "general", "concat", "local", "hard"] = parameter(
        "additive",
        "kind of attention",
        "How the decoder weighs the encoder's states: hard attention draws one, all other kinds are soft, a "
        "weighted mean, and global but for local-p, which looks at a window.",
        names=KINDS,
    )
    attn_cell: CellKind = _as_in_network("cell")
    attn_hidden: int = _as_in_network("hidden_size")
    attn_layers: int = _as_in_network("layers")
    attn_bidirectional: bool = _as_in_network("bidirectional")
    attn_dropout: float = _as_in_network("dropout")
    attn_residual: bool = _as_in_network("residual")
    attn_start: StartKind = _as_in_network("start")
    attn_window: int = _as_in_network("window")
    attn_estimator: EstimatorKind = _as_in_network("estimator")
    attn_bos: bool = _as_in_network("bos")
    attn_eos: bool = _as_in_network("eos")
    attn_seed: int = _as_in_network("seed")
    attn_source: int = parameter(
        20, "source length", "How many random letters the encoder reads.", bounds=(1, LONGEST), step=1
    )
    attn_target: int = parameter(
        12,
        "target length",
        "How many tokens the decoder has to say: random letters and ‹eos›, without which it is one fewer.",
        bounds=(1, LONGEST),
        step=1,
    )
    attn_step: int = parameter(
        6, "decoder step j", "The decoder step that is looked at alone.", bounds=(1, LONGEST), step=1
    )
    attn_beside: Literal["weights", "reach"] = parameter(
        "weights",
        "beside the map",
        "What stands beside the gradient map.",
        names={"weights": "Attention weights", "reach": "What hᵢ knows"},
    )
    attn_few: int = parameter(
        6,
        "source length",
        "How many random letters the encoder reads; few, so that each can be followed.",
        bounds=(2, FEW),
        step=1,
    )
    attn_pushed: int = parameter(
        3, "score that is moved", "The number i of the score that the slider moves.", bounds=(1, FEW), step=1
    )
    attn_push: float = parameter(
        0.0, "added to the score", "What is added to the network's own score.", bounds=(-8, 8), step=0.25
    )
    attn_wired: int = parameter(
        5,
        "steps of each sequence",
        "How many letters are read and said; ‹eos› comes on top.",
        bounds=(2, 6),
        step=1,
    )
    attn_heard: Literal["all", "last"] = parameter(
        "all",
        "losses that are heard",
        "Whether the gradient of all losses is drawn or that of the last one alone.",
        names={"all": "All losses", "last": "The last loss only"},
    )
