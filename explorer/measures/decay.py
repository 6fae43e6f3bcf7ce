"""How fast the gradient of the whole state changes between the loss and the first step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.ledger import Ledger, state_norms
from explorer.trace import Trace

_STILL = 1e-12  # decades a step; slower changes are rounding


@dataclass(frozen=True)
class Account:
    """The median sample's ledger between the last loss and the initial state, in decades lost.

    With an even number of samples the two middle ones are averaged, so ``lost`` is the median over samples
    and at the same time exactly the sum of its parts: lost = slope + matrix + loss. Negative parts are gains.

    Attributes:
        lost: median of log10‖g_s‖ − log10‖g_0‖, s the last loss step; inf where g_0 is exactly 0.
        slope, matrix, loss: its parts; NaN when the gradient is exactly 0 at t = 0 or was on the way
            (dead, then started anew by a loss at an earlier step).
        keeping: the part of ``slope`` that the forget or update gate alone costs; NaN where there is none.
        samples: the one or two samples that stand for the median.
        steps: s.
    """

    lost: float
    slope: float
    matrix: float
    loss: float
    keeping: float
    samples: list[int]
    steps: int


def loss_step(trace: Trace) -> int:
    """The last step whose hidden state the loss reads; 0 if there is none."""
    entered = np.flatnonzero(trace.loss_weights)
    return int(entered[-1]) if len(entered) else 0


def account(trace: Trace, entries: Ledger) -> Account:
    """Sum the ledger of the median sample; see ``Account``."""
    steps = loss_step(trace)
    lost = entries.norms[steps] - entries.norms[0]
    order = np.argsort(lost, kind="stable")
    middle = [int(b) for b in order[(len(order) - 1) // 2 : len(order) // 2 + 1]]
    total = float(np.mean(lost[middle]))
    with np.errstate(invalid="ignore"):
        slope, matrix, loss, keeping = (
            np.nan if part is None else -float(part[:steps, middle].sum(axis=0).mean())
            for part in (entries.slope, entries.matrix, entries.loss, entries.keeping)
        )
    if not np.isfinite([total, slope, matrix, loss]).all():
        return Account(total, np.nan, np.nan, np.nan, np.nan, middle, steps)
    return Account(total, slope, matrix, loss, keeping if np.isfinite(keeping) else np.nan, middle, steps)


def half_life_of_norms(norms: np.ndarray) -> float:
    """Steps back after which the median of log10 norms [n, B] halves; see ``half_life``."""
    if np.isnan(norms).any():
        return np.nan
    middle = np.sort(norms, axis=1)[:, [(norms.shape[1] - 1) // 2, norms.shape[1] // 2]].mean(axis=1)
    alive = np.flatnonzero(np.isfinite(middle))
    if len(alive) < 2:
        return 0.0
    curve = middle[alive]
    lag = len(curve) // 2
    rates = (curve[lag:] - curve[:-lag]) / (alive[lag:] - alive[:-lag])
    rate = float(np.median(rates))
    return float(np.log10(2) / rate) if rate > _STILL else np.inf


def half_life(trace: Trace) -> float:
    """Steps after which the median gradient norm of the whole state halves on its way back from the loss.

    The rate is the median slope of the median log-norm over all pairs of steps half the distance apart
    (Theil 1950, incomplete method): exact for a straight line and indifferent to bends at either end.
    Steps where the gradient is exactly 0 are left out. inf when it does not shrink; 0 when it is exactly 0
    from the first step on; NaN when gradients are not numbers. For losses at every step it is the norm of
    the sum that is meant.
    """
    return half_life_of_norms(state_norms(trace)[: loss_step(trace) + 1])


def decades_lost(trace: Trace) -> float:
    """Median over samples of log10‖g_s‖ − log10‖g_0‖, s the last loss step, g the whole state's gradient.

    Negative when the gradient grows; inf when it is exactly 0 at t = 0 in half of the samples or more.
    """
    norms = state_norms(trace)
    lost = np.sort(norms[loss_step(trace)] - norms[0])
    return float(np.mean(lost[(len(lost) - 1) // 2 : len(lost) // 2 + 1]))
