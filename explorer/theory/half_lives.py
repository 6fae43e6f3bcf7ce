"""How long a gate that keeps a fixed fraction keeps half."""

from __future__ import annotations

import numpy as np


def log_sigmoid(a: float | np.ndarray) -> np.ndarray:
    """ln σ(a) = −ln(1 + e^−a), accurate relative to its value in both tails."""
    return np.asarray(-np.logaddexp(0.0, -np.asarray(a, np.float64)))


def half_life_of_forget_gate(bias: float) -> float:
    r"""Steps after which a forget gate that stays at σ(bias) has kept half: :math:`\ln 2 / {-\ln\sigma(b)}`.

    The bias is everything the gate sees: torch's two biases add up. 0 → 1, 1 → 2.213, 2 → 5.461, 3 → 14.27,
    5 → 103.2 steps. Relative error 1e-15; infinite once σ(b) is 1 in float64 to all digits of ln σ(b)
    (b > 745). Forget bias: Gers et al. (2000), Jozefowicz et al. (2015).
    """
    rate = -float(log_sigmoid(bias))
    return float(np.log(2) / rate) if rate > 0 else np.inf
