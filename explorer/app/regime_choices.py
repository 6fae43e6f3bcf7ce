"""What a person chooses on the page Regimes beside the settings of the experiment; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.app.fixed_choices import FixedChoices
from explorer.app.lyapunov_choices import LyapunovChoices
from explorer.app.mean_field_choices import MeanFieldChoices
from explorer.app.non_normal_choices import NonNormalChoices
from explorer.app.tied_choices import TiedChoices
from explorer.parameters import Parameters, parameter
from explorer.sweep.measures import MEASURES


class PhaseChoices(Parameters):
    """The phase diagram: which two settings, which number, how finely."""

    x_axis: str = parameter(
        "weight_scale", "along the page", "The setting that changes along the page.", max_length=40
    )
    y_axis: str = parameter("", "up the page", "The setting that changes up the page.", max_length=40)
    measure: Literal["decades_per_step", "gradient_norm", "half_life", "lyapunov", "saturated"] = parameter(
        "decades_per_step",
        "measure",
        "The number that the colours show.",
        names={name: found.label for name, found in MEASURES.items()},
    )
    points: int = parameter(
        32,
        "points each way",
        "How many values of each setting are computed.",
        bounds=(8, 64),
        options=[16, 32, 64],
    )
    seeds: int = parameter(
        1, "seeds", "Networks drawn for each point; their median is shown.", bounds=(1, 8), step=1
    )


class Regimes(PhaseChoices, LyapunovChoices, MeanFieldChoices, NonNormalChoices, TiedChoices, FixedChoices):
    """All sections, and which of them is open."""

    regime: Literal["phase", "lyapunov", "mean_field", "non_normal", "tied", "fixed"] = parameter(
        "phase",
        "regime",
        "Which question is asked.",
        names={
            "phase": "Phase diagram",
            "lyapunov": "Lyapunov spectrum",
            "mean_field": "Mean field",
            "non_normal": "Non-normality",
            "tied": "Tied or untied",
            "fixed": "Fixed points",
        },
    )
