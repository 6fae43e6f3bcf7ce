"""Lyapunov exponents: how fast small changes of the state grow along the orbit of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.engine.lyapunov import frame_growth
from explorer.experiment import Experiment
from explorer.measures.decay import loss_step
from explorer.measures.ledger import state_norms
from explorer.measures.orbits import check_whole, in_window, long_orbit
from explorer.trace import Trace

_ERROR_BLOCKS = 16


@dataclass(frozen=True)
class LyapunovSpectrum:
    r"""Lyapunov exponents of one orbit, in nats per step.

    .. math::
        \lambda_i = \lim_{n\to\infty} \tfrac1n \ln \sigma_i(J_n \cdots J_1), \qquad
        J_t = \partial s_t / \partial s_{t-1}

    with s the whole state: h, and c where the cell has one (Oseledets 1968; Benettin et al. 1980).

    Attributes:
        exponents: [count], descending. −inf: these directions are lost exactly (a matrix of lower rank, dead
            units, shut gates). NaN: too small beside the others to be known, or states that are no numbers.
        standard_errors: [count], from the spread of 16 blocks of the window; NaN where the exponent is not
            finite or the window has fewer than two blocks.
        running: [n, count], the mean up to each of ``times``; the last row is ``exponents``.
        times: [n] steps after settling, ascending, the last one ``steps``.
        gradient_slope: growth of the log gradient norm per step back over the same steps, in nats; see
            ``gradient_slope``. It tends to the largest exponent.
        steps, settle: length of the window, and of the run before it in which state and frame settle.
        dimension: of the whole state; equal to ``count`` when all exponents were asked for.
    """

    exponents: np.ndarray
    standard_errors: np.ndarray
    running: np.ndarray
    times: np.ndarray
    gradient_slope: float
    steps: int
    settle: int
    dimension: int

    @property
    def largest(self) -> float:
        """λ₁."""
        return float(self.exponents[0])

    @property
    def total(self) -> float:
        """Sum of the exponents; when it is that of all, the mean of ln |det J_t|: how volumes change."""
        return float(np.sum(self.exponents))

    @property
    def resolution(self) -> np.ndarray:
        """[count]: what cannot be told from 0: two standard errors, or one nat over the whole window."""
        return np.asarray(np.maximum(2 * np.nan_to_num(self.standard_errors), 1 / self.steps))

    @property
    def num_positive(self) -> int:
        """How many exponents lie above 0 by more than the resolution."""
        return int(np.count_nonzero(self.exponents > self.resolution))

    @property
    def num_zeros(self) -> int:
        """How many directions are lost exactly, λ = −inf."""
        return int(np.isneginf(self.exponents).sum())

    @property
    def num_unknown(self) -> int:
        """How many exponents are not known."""
        return int(np.isnan(self.exponents).sum())

    @property
    def kaplan_yorke_dimension(self) -> float:
        r"""Dimension of the attractor, :math:`j + \sum_{i\le j}\lambda_i / |\lambda_{j+1}|`.

        j is the largest number of leading exponents with a sum of 0 or more (Kaplan & Yorke 1979). 0 for a
        stable fixed point or cycle, the whole dimension when even all exponents together expand, NaN when
        those at hand do not suffice to say. It means nothing where states grow without bound.
        """
        sums = np.cumsum(self.exponents)
        if not sums[0] >= 0:
            return float("nan") if np.isnan(sums[0]) else 0.0
        j = int(np.flatnonzero(sums >= 0)[-1]) + 1
        if j == self.dimension:
            return float(j)
        if j == len(sums) or np.isnan(sums[j]):
            return float("nan")
        return float(j + sums[j - 1] / abs(self.exponents[j]))


def lyapunov_exponents(
    subject: Trace | Experiment,
    *,
    count: int | None = None,
    steps: int = 500,
    settle: int = 100,
    sample: int = 0,
) -> LyapunovSpectrum:
    r"""Lyapunov exponents of a network by the QR method on its own local Jacobians, for any cell.

    An orthonormal frame is carried along the orbit, :math:`J_{t+n}\cdots J_{t+1} Q = Q' R` with n ≤ 5, and
    :math:`\lambda_i` is the mean of :math:`\ln|R_{ii}|` per step (Benettin et al. 1980; Geist, Parlitz &
    Lauterborn 1990). The error is of order 1/steps while the frame still turns towards its final directions,
    and rounding once it has settled. The orbit runs in float64 whatever the precision of the experiment.

    Args:
        subject: an experiment, driven by its own signal; or a trace, whose weights, inputs and initial state
            are used (beyond its last step its signal goes on).
        count: how many of the largest exponents, all of them unless told: the time grows with it.
        steps: n, length of the window, not bounded by the experiment's number of steps.
        settle: steps before the window.
        sample: which sequence of the batch.

    Raises:
        ValueError: a network of layers, an argument out of range, or a trace with inputs of its own that
            is shorter than settle + steps; names what is allowed.
        TooLarge: the orbit would need more than 1 GB.
    """
    trace = long_orbit(subject, steps, settle, sample)
    dimension = len(trace.experiment.cell.states) * trace.experiment.hidden_size
    count = dimension if count is None else count
    check_whole("count", count, 1, dimension)
    draw = trace.experiment.rng("lyapunov").standard_normal((dimension, count))
    growth = frame_growth(trace.system, trace.forward, np.linalg.qr(draw)[0], settle)
    times, logs = in_window(growth, settle)
    with np.errstate(invalid="ignore"):
        running = np.cumsum(logs, axis=0) / times[:, None]
    order = np.argsort(-np.nan_to_num(running[-1], nan=-np.finfo(float).max, neginf=-np.inf), kind="stable")
    return LyapunovSpectrum(
        exponents=running[-1, order],
        standard_errors=_standard_errors(times, logs)[order],
        running=running[:, order],
        times=times,
        gradient_slope=gradient_slope(trace, settle=settle),
        steps=steps,
        settle=settle,
        dimension=dimension,
    )


def gradient_slope(trace: Trace, *, settle: int = 0, sample: int = 0) -> float:
    r"""Slope of the log gradient norm on its way back, in nats per step.

    .. math::
        \ln\lVert g_{t-1}\rVert - \ln\lVert g_t\rVert, \qquad g_t = \partial L / \partial s_t

    over the steps from the last one that the loss reads down to ``settle``, as the median slope over all
    pairs of steps half that distance apart (Theil 1950): exact for a straight line, indifferent to bends at
    either end. For a loss at one step :math:`g_t = (J_T \cdots J_{t+1})^\top g_T`, so it tends to the largest
    Lyapunov exponent as the distance grows.

    Args:
        trace: a run; g is the gradient of the whole state, h_t and c_t with h_t held fixed.
        settle: the first step that counts.
        sample: which sequence of the batch.

    Returns:
        The slope; positive where the gradient explodes on its way back. −inf where it is exactly 0 at some
        step, NaN where it is no number or fewer than two steps are left.

    Raises:
        ValueError: ``settle`` or ``sample`` out of range.
    """
    check_whole("settle", settle, 0, trace.num_steps)
    check_whole("sample", sample, 0, trace.forward.slots.shape[-1] - 1)
    norms = state_norms(trace)[settle : loss_step(trace) + 1, sample] * np.log(10)
    if len(norms) < 2 or np.isnan(norms).any() or np.isposinf(norms).any():
        return float("nan")
    if np.isneginf(norms).any():
        return float("-inf")
    lag = len(norms) // 2
    return float(np.median(norms[:-lag] - norms[lag:]) / lag)


def _standard_errors(times: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """[M] of the mean of ``logs`` per step, from at most 16 stretches of the window."""
    edges = np.unique(np.linspace(0, len(times), min(_ERROR_BLOCKS, len(times)) + 1).round().astype(int))
    if len(edges) < 3:
        return np.full(logs.shape[1], np.nan)
    durations = np.diff(np.append(0, times)[edges])
    with np.errstate(invalid="ignore"):
        rates = np.add.reduceat(logs, edges[:-1], axis=0) / durations[:, None]
        return np.asarray(rates.std(axis=0, ddof=1) / np.sqrt(len(rates)))
