"""What a person chooses in the section Gradient movie; part of the view."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from explorer.cells import CELLS
from explorer.parameters import Parameters, parameter

NEWEST = -1


class MovieChoices(Parameters):
    """Which network of the race is looked at, and how."""

    movie_racer: str = parameter(
        "",
        "network",
        "The network of the race whose training is shown; the first one unless it is named.",
        max_length=800,
    )
    movie_gate: str = parameter(
        "",
        "gate",
        "The gate that is drawn, and whose block of W_hh has the eigenvalues.",
        max_length=20,
    )
    movie_shown: Literal["size", "share"] = parameter(
        "size",
        "gradient",
        "Its size, or its share of the largest one of the same training step, in which a small loss cancels.",
        names={"size": "its size", "share": "beside its largest"},
    )
    movie_step: int = parameter(
        NEWEST,
        "training step",
        "The training step at which everything is looked at; −1 is the newest one.",
        bounds=(NEWEST, 20_000),
        step=1,
    )

    @field_validator("movie_gate")
    @classmethod
    def _is_a_gate(cls, gate: str) -> str:
        if gate and not any(gate in kind.gates for _, kind in CELLS.values()):
            raise ValueError("no cell has this gate")
        return gate
