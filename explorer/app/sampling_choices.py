"""What a person chooses in the section Sampling of the page Decoding; part of the view."""

from __future__ import annotations

from explorer.parameters import Parameters, parameter


class SamplingChoices(Parameters):
    """Temperature, top-k and nucleus, and the texts that are drawn."""

    sample_temperature: float = parameter(
        0.7,
        "temperature T",
        "Probabilities are raised to the power 1/T: below 1 sharper, above 1 flatter.",
        bounds=(0.05, 3),
        step=0.05,
    )
    sample_top_k: int = parameter(
        10, "top-k", "So many of the likeliest tokens stay; 0 keeps all.", bounds=(0, 40), step=1
    )
    sample_top_p: float = parameter(
        0.8,
        "nucleus p",
        "The fewest likeliest tokens stay whose probabilities add up to p; 1 keeps all.",
        bounds=(0.05, 1),
        step=0.05,
    )
    sample_length: int = parameter(100, "characters", "Length of each text.", bounds=(10, 300), step=10)
    sample_seed: int = parameter(
        0, "seed", "Decides the draws; all strategies share them.", bounds=(0, 99), step=1
    )
    sample_read: int = parameter(
        0,
        "tokens read",
        "So many tokens of the text with all your choices stand before the one whose distribution is drawn.",
        bounds=(0, 300),
        step=1,
    )
