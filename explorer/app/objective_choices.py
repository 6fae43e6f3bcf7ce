"""The choices of the section Objectives of the page Attention; part of the view."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.recipe import TranslationRecipe

LONGEST = 15
"""Most tokens of the source."""
DRAWS = 20
"""From how many draws one is chosen to be looked at."""


def _as_in_recipe(name: str) -> Any:
    """The field of the recipe with its bounds, label and sentence."""
    return copy(TranslationRecipe.model_fields[name])


class ObjectiveChoices(Parameters):
    """One example, and what each objective makes of it."""

    objective_step: int = parameter(
        3, "decoder step j", "The decoder step whose logits are looked at.", bounds=(1, LONGEST + 1), step=1
    )
    objective_length: int = parameter(
        6,
        "source length",
        "How many tokens the source has; up to 2 all answers can be counted, beyond they are drawn.",
        bounds=(2, LONGEST),
        step=1,
    )
    objective_smoothing: float = _as_in_recipe("smoothing")
    objective_share: float = parameter(
        1.0,
        "own tokens",
        "Scheduled sampling: probability with which the decoder reads a token that it has drawn itself.",
        bounds=(0, 1),
        step=0.05,
    )
    objective_reward: Literal["bleu", "exact"] = _as_in_recipe("reward")
    objective_baseline: Literal["none", "mean"] = parameter(
        "mean",
        "baseline b",
        "What is subtracted from the reward of every draw.",
        names={"none": "none, b = 0", "mean": "mean reward"},
    )
    objective_draw: int = parameter(
        11, "draw", "Which draw of the network's own tokens is looked at.", bounds=(1, DRAWS), step=1
    )
