"""The choices of the section Training of the page Attention; part of the view."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.recipe import TranslationRecipe
from explorer.seq2seq.settings import CellKind
from explorer.seq2seq.tasks import TRANSLATION_TASKS

NEWEST = -1
"""The recorded step that is shown while a network is trained."""


def _as_in_recipe(name: str) -> Any:
    """The field of the recipe with its bounds, label and sentence."""
    return copy(TranslationRecipe.model_fields[name])


class TaughtChoices(Parameters):
    """What is learned, by whom, and what is minimised."""

    taught_task: Literal["reverse", "copy", "sort", "dates"] = parameter(
        "reverse",
        "task",
        "What the networks have to learn.",
        names={kind: label for kind, (label, _) in TRANSLATION_TASKS.items()},
    )
    taught_beside: Literal["attention", "kinds", "encoder", "objective"] = parameter(
        "attention",
        "compare",
        "Which networks are trained side by side.",
        names={
            "attention": "with and without attention",
            "kinds": "kinds of attention",
            "encoder": "forward and both directions",
            "objective": "what is minimised",
        },
    )
    taught_cell: CellKind = parameter(
        "gru",
        "cell",
        "What one step of the encoder and of the decoder computes.",
        names={"rnn": "tanh RNN", "lstm": "LSTM", "gru": "GRU"},
    )
    taught_hidden: int = parameter(
        64, "hidden size H", "Units of the decoder.", bounds=(8, 128), options=(16, 32, 64, 128)
    )
    taught_steps: int = parameter(
        1000,
        "training steps",
        "How many batches every network is trained on.",
        bounds=(20, 5000),
        options=(100, 300, 500, 1000, 1500, 2000, 3000, 5000),
    )
    taught_rate: float = _as_in_recipe("learning_rate")
    taught_batch: int = _as_in_recipe("batch_size")
    taught_smoothing: float = _as_in_recipe("smoothing")
    taught_sampling: float = _as_in_recipe("sampling")
    taught_reward: Literal["bleu", "exact"] = _as_in_recipe("reward")
    taught_shown: int = parameter(
        0, "network", "Whose attention and gradient are drawn.", bounds=(0, 3), step=1
    )
    taught_moment: int = parameter(
        NEWEST,
        "training step",
        "The recorded step that is drawn; -1 is the newest.",
        bounds=(-1, 5000),
        step=1,
    )
