"""What a sweep can draw: one number for each point, defined as on the page that shows a single runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.sweep.batch import Runs

Values = Callable[[Runs], np.ndarray]


@dataclass(frozen=True)
class Measure:
    """One number for each point.

    Attributes:
        name: registry name.
        label: name on screen.
        units: of the number; "" for a pure number.
        help: one sentence that says what the number is.
        values: runs side by side → [points], the median or mean of their samples.
        ends: whether ∂L/∂s_0 and the loss are all that is read, so that the fused loops will do.
    """

    name: str
    label: str
    units: str
    help: str
    values: Values
    ends: bool = False


def decades_per_step(runs: Runs) -> np.ndarray:
    r"""Mean slope of the log gradient norm on its way back from the last loss step s.

    .. math::
        \frac{\log_{10}\lVert g_0\rVert - \log_{10}\lVert g_s\rVert}{s}

    with g the gradient of the whole state (h, and c with h held fixed), median over samples: ``decades_lost``
    with the other sign, divided by the steps, as the verdict of *Gradient flow* says it. Positive explodes,
    negative vanishes; −inf where g_0 is exactly 0, NaN where it is no number.
    """
    with np.errstate(invalid="ignore"):
        return middle((runs.start_norms() - runs.loss_norms()) / runs.loss_step)


def gradient_norm(runs: Runs) -> np.ndarray:
    r""":math:`\log_{10}\lVert\partial L/\partial h_0\rVert`, median over samples.

    The left end of the curve on *Gradient flow*, ``gradient_norms(trace)[0]``; c_0 is not part of it. −inf
    where it is exactly 0, NaN where it is no number.
    """
    return middle(runs.start_norms("h"))


def half_life(runs: Runs) -> np.ndarray:
    r"""Steps after which the median gradient norm of the whole state halves on its way back.

    .. math::
        \log_{10} 2 \,/\, \operatorname{median}_t
        \frac{\log_{10}\lVert g_{t+k}\rVert - \log_{10}\lVert g_t\rVert}{k}

    with k half the number of steps (Theil 1950): ``explorer.measures.decay.half_life``. inf where the norm
    does not shrink, 0 where it is exactly 0 from the first step on, NaN where gradients are no numbers.
    """
    return runs.half_lives()


def lyapunov(runs: Runs) -> np.ndarray:
    r"""Largest Lyapunov exponent over the steps that are left after settling for T // 6 steps.

    .. math::
        \lambda = \frac{1}{T - T_0} \ln\frac{\lVert u_T\rVert}{\lVert u_{T_0}\rVert},
        \qquad u_t = \frac{\partial s_t}{\partial s_{t-1}} u_{t-1}

    with u_0 drawn once from the experiment's seed, median over samples: ``lyapunov_exponents(…, count=1)`` of
    these steps. A finite time and a finite network leave it an error of order 1/T. −inf where u becomes
    exactly 0, NaN where states are no numbers. It does not look at the loss.
    """
    return middle(runs.growth_rates())


def saturated(runs: Runs) -> np.ndarray:
    """Share of units that let hardly any gradient through, over all steps and samples.

    For tanh: slope below 0.1, |φ(a)| > 0.949, as ``saturated_share`` counts it; for cells with gates: gate
    values below 0.05 or above 0.95, as *Gates* counts shut and open ones. 0 for ReLU and linear units; NaN
    where states are no numbers. It does not look at the loss.
    """
    return np.asarray(runs.saturated_shares().mean(axis=1))


def middle(values: np.ndarray) -> np.ndarray:
    """Median over the last axis, NaN counting as largest; two equal middle values of −inf give −inf."""
    order = np.sort(values, axis=-1)
    count = order.shape[-1]
    return np.asarray((order[..., (count - 1) // 2] + order[..., count // 2]) / 2)


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "decades_per_step",
            "decades per step back",
            "decades per step",
            "How many powers of ten the gradient of the whole state gains at each step back from the loss, "
            "on average: below 0 it vanishes, above 0 it explodes.",
            decades_per_step,
            ends=True,
        ),
        Measure(
            "gradient_norm",
            "log₁₀ ‖∂L/∂h₀‖",
            "decades",
            "The power of ten of the gradient that arrives at the initial hidden state.",
            gradient_norm,
            ends=True,
        ),
        Measure(
            "half_life",
            "half-life",
            "steps",
            "Steps after which the gradient of the whole state has halved on its way back from the loss.",
            half_life,
        ),
        Measure(
            "lyapunov",
            "largest Lyapunov exponent",
            "nats per step",
            "How fast a small change of the state grows: above 0 neighbouring states part.",
            lyapunov,
        ),
        Measure(
            "saturated",
            "saturated units",
            "",
            "The share of tanh units with a slope below 0.1, or of gates below 0.05 or above 0.95.",
            saturated,
        ),
    )
}


def measures_of(chosen: str | Sequence[str]) -> tuple[str, ...]:
    """The names of one measure or of several; raises ValueError for one that does not exist."""
    names = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"measure {name!r} is unknown; allowed are {', '.join(MEASURES)}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"measure is {list(names)!r}; it must name at least one, and none of them twice")
    return names
