"""Chrono initialisation: gate biases that spread the units' memories over the length of the task."""

from __future__ import annotations

import numpy as np


def chrono_biases(longest: int, count: int) -> np.ndarray:
    r"""Forget biases that chrono initialisation draws, as evenly spaced quantiles, ascending [count].

    .. math::
        b_f = \ln u, \quad u \sim U(1, T_{max} - 1), \qquad b_i = -b_f

    A gate at σ(ln u) keeps u/(1 + u) a step, that is 1/e after about u + ½ steps: the units' memories are
    spread evenly up to ``longest`` = T_max steps (Tallec & Ollivier 2018). The input bias is the negative.

    Raises:
        ValueError: ``longest`` is below 2 or ``count`` below 1.
    """
    for name, value, least in (("longest", longest, 2), ("count", count, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}; allowed is {least} or more")
    return np.log(1 + (longest - 2) * (np.arange(count) + 0.5) / count)
