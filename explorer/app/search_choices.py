"""What a person chooses in the section Search of the page Decoding; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.parameters import Parameters, parameter

LONGEST, WIDEST = 40, 12


class SearchChoices(Parameters):
    """A beam, how finished hypotheses are compared, and how much of the search is drawn."""

    beam_width: int = parameter(
        2,
        "beam width",
        "How many candidates are kept in each step (of each group); 1 is greedy.",
        bounds=(1, WIDEST),
        step=1,
    )
    beam_length: int = parameter(
        8,
        "longest sequence",
        "Where a sequence without an end is cut off, the end token counted.",
        bounds=(1, LONGEST),
        step=1,
    )
    beam_norm: Literal["none", "power", "wu"] = parameter(
        "none",
        "length normalisation",
        "What the log-probability of a finished sequence is divided by before it is compared.",
        names={"none": "None", "power": "|y|^α", "wu": "((5 + |y|) / 6)^α"},
    )
    beam_alpha: float = parameter(
        0.6,
        "exponent α",
        "0 changes nothing, 1 with |y|^α compares log-probabilities per token.",
        bounds=(0, 2),
        step=0.05,
    )
    beam_groups: int = parameter(
        1,
        "groups",
        "Diverse beam search: so many beams, each of which avoids the tokens of those before it.",
        bounds=(1, 4),
        step=1,
    )
    beam_strength: float = parameter(
        0.5,
        "diversity strength λ",
        "What a token costs for each time that an earlier group has kept it in this step.",
        bounds=(0, 3),
        step=0.05,
    )
    beam_coverage: float = parameter(
        0.0,
        "coverage β",
        "Weight of the penalty for source positions without attention; for models with attention only.",
        bounds=(0, 1),
        step=0.05,
    )
    beam_step: int = parameter(
        0, "step of the search", "How many steps are drawn; 0 draws all.", bounds=(0, LONGEST), step=1
    )
