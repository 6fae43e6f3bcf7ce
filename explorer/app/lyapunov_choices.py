"""What a person chooses in the section Lyapunov spectrum; part of the view."""

from __future__ import annotations

from explorer.parameters import Parameters, parameter


class LyapunovChoices(Parameters):
    """Which orbits Lyapunov exponents are measured on."""

    lyapunov_driven: bool = parameter(
        False,
        "driven by its input",
        "The network reads its input at every step; otherwise it reads none and starts from a random state.",
    )
    lyapunov_steps: int = parameter(
        400,
        "steps of the orbit",
        "Over how many steps growth is averaged, after 100 more in which the state settles.",
        bounds=(100, 2000),
        options=[100, 200, 400, 1000, 2000],
    )
    lyapunov_seeds: int = parameter(
        8,
        "seeds of the fan",
        "How many networks are drawn that differ in their random numbers alone, from the present seed on.",
        bounds=(1, 16),
        step=1,
    )
