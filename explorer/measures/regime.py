"""Stable, on the edge or chaotic: what the largest exponents of several networks say, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from explorer.experiment import Experiment

Regime = Literal["not_a_number", "lost", "stable", "edge", "chaotic", "mixed", "unbounded", "unstable_point"]
_LASTING = ("noise", "sine", "text")  # signals that never end


def regime(experiment: Experiment, exponents: Sequence[float] | np.ndarray, *, steps: int) -> Regime:
    """What networks that differ in their seed alone have in common.

    Args:
        experiment: the networks; its cell, signal and start decide what growth means.
        exponents: the largest Lyapunov exponent of each, [S], in nats per step; NaN ones are left out.
        steps: over how many steps they were measured: less than one nat in all counts as no growth.

    Returns:
        ``not_a_number`` when all are NaN; ``lost`` when changes are lost exactly (−inf) in all; ``stable``
        when they shrink in all, ``edge`` when they grow in none, ``mixed`` when they grow in some, and
        otherwise, growing in all: ``unbounded`` for linear and ReLU cells, ``unstable_point`` for a state
        that nothing moves off 0, else ``chaotic``.
    """
    values = _known(exponents)
    if not len(values):
        return "not_a_number"
    grows, shrinks = values > 1 / steps, values < -1 / steps
    if not grows.any():
        if np.isneginf(values).all():
            return "lost"
        return "stable" if shrinks.all() else "edge"
    if experiment.cell.homogeneous:
        return "unbounded" if grows.all() else "mixed"
    if _stays_at_zero(experiment):
        return "unstable_point" if grows.all() else "mixed"
    return "chaotic" if grows.all() else "mixed"


def regime_sentence(
    experiment: Experiment,
    exponents: Sequence[float] | np.ndarray,
    *,
    steps: int,
    theory: float | None = None,
    undriven: Sequence[float] | np.ndarray | None = None,
) -> str:
    """Chaos told apart from finite-size effects, from unbounded growth and from what an input suppresses.

    "Chaos for gains above 1" holds for N → ∞ (Sompolinsky, Crisanti & Sommers 1988); small networks settle
    in fixed points and cycles. An input may suppress chaos (Molgedey, Schuchhardt & Schuster 1992; Rajan,
    Abbott & Sompolinsky 2010).

    Args:
        experiment: the networks, which differ in their seed alone.
        exponents: the largest exponent of each at one gain, [S], such as a row of ``lyapunov_fan``.
        steps: over how many steps they were measured.
        theory: λ₁ of very large networks, ½ ln χ₁, where mean-field theory knows it.
        undriven: the same exponents without input, for experiments with one.

    Returns:
        One to four sentences, each with its numbers.
    """
    values, found = _known(exponents), regime(experiment, exponents, steps=steps)
    missing = np.size(exponents) - len(values)
    said = []
    if missing and found != "not_a_number":
        number = f"{missing} of {np.size(exponents)} networks"
        said.append(f"{number} left out, with states that are no finite numbers.")
    said.append(_judged(experiment, values, found, steps))
    if found not in ("not_a_number", "lost"):
        said.append(_spread(values))
    said += _against_theory(experiment, values, found, steps, theory)
    said += _against_undriven(experiment, values, steps, undriven)
    return " ".join(said)


def _known(exponents: Sequence[float] | np.ndarray) -> np.ndarray:
    values = np.asarray(exponents, np.float64).ravel()
    return values[~(np.isnan(values) | np.isposinf(values))]


def _driven(experiment: Experiment) -> bool:
    """Whether an input goes on for ever."""
    signal = experiment.signal
    return signal.kind in _LASTING and experiment.input_scale * getattr(signal, "amplitude", 1.0) > 0


def _stays_at_zero(experiment: Experiment) -> bool:
    """Whether nothing ever moves the state off 0: no start, no input, no bias."""
    biases = experiment.bias_scale or any(experiment.cell.bias_offsets().values())
    return experiment.signal.kind == "zeros" and not experiment.initial_scale and not biases


def _judged(experiment: Experiment, values: np.ndarray, found: Regime, steps: int) -> str:
    """The regime in one sentence."""
    every = "in this network" if len(values) == 1 else f"in all {len(values)} networks"
    driven = _driven(experiment)
    match found:
        case "not_a_number":
            return "Nothing can be said: the states are no finite numbers."
        case "lost":
            return f"A small change is lost exactly {every}: λ₁ = −∞."
        case "stable" if driven:
            return f"Stable: {every} small changes die out, and the state forgets its start for its input."
        case "stable":
            return f"Stable: {every} small changes die out, at a fixed point or on a cycle."
        case "edge":
            still = int((np.abs(values) <= 1 / steps).sum())
            return (
                f"On the edge: {every} small changes do not grow, and in {still} they hardly shrink either "
                f"(less than one nat in {steps} steps)."
            )
        case "unbounded":
            return (
                f"Small changes grow {every}, and a linear or ReLU cell sets no bound to its states: "
                "they explode as a rule, which is no chaos."
            )
        case "unstable_point":
            return (
                f"Nothing moves the state off 0, a fixed point that is unstable {every}: this is no chaos "
                "yet; an initial state would show what follows."
            )
        case "chaotic":
            return f"Chaotic{' in spite of its input' if driven else ''}: small changes grow {every}."
    grows, shrinks = int((values > 1 / steps).sum()), int((values < -1 / steps).sum())
    still = len(values) - grows - shrinks
    parts = [f"{grows} of {len(values)} networks {_growing(experiment, grows)}"]
    if shrinks:
        verb = ("follow" if driven else "settle") + "s" * (shrinks == 1)
        parts.append(f"{shrinks} {verb} {'the input' if driven else 'into a fixed point or a cycle'}")
    if still:
        parts.append(f"{still} {'lies' if still == 1 else 'lie'} between")
    return f"The seeds disagree: {', '.join(parts)}."


def _growing(experiment: Experiment, count: int) -> str:
    """What ``count`` networks do in which small changes grow."""
    if experiment.cell.homogeneous:
        return "explodes" if count == 1 else "explode"
    return "is chaotic" if count == 1 else "are chaotic"


def _spread(values: np.ndarray) -> str:
    """Median and range."""
    low, middle, high = np.min(values), np.median(values), np.max(values)
    if len(values) == 1:
        return f"λ₁ = {_signed(middle)} nats a step."
    return f"In nats a step λ₁ is {_signed(middle)} (median), from {_signed(low)} to {_signed(high)}."


def _against_theory(
    experiment: Experiment, values: np.ndarray, found: Regime, steps: int, theory: float | None
) -> list[str]:
    """Where large networks do something else: an effect of finite size."""
    if theory is None or not np.isfinite(theory) or found in ("not_a_number", "lost", "unstable_point"):
        return []
    large, size = f"λ₁ = {_signed(theory)} for N → ∞", f"with N = {experiment.hidden_size},"
    count = len(values)
    growing = int((values > 1 / steps).sum())
    if theory > 1 / steps and growing < count:
        what, verb = _growing(experiment, 2), "do" if experiment.cell.homogeneous else "are"
        other = f"{size} {count - growing} of {count} {verb} not"
        return [f"Finite size: large networks {what} here ({large}), {other}."]
    if theory <= 1 / steps and growing:
        return [
            f"Finite size: large networks are stable here ({large}), {size} {growing} of {count} are not."
        ]
    return [f"Large networks do the same ({large})."]


def _against_undriven(
    experiment: Experiment,
    values: np.ndarray,
    steps: int,
    undriven: Sequence[float] | np.ndarray | None,
) -> list[str]:
    """Chaos that the input suppresses."""
    if undriven is None or experiment.cell.homogeneous or not len(values):
        return []
    alone = _known(undriven)
    if not len(alone) or not np.median(alone) > 1 / steps:
        return []
    middle = float(np.median(alone))
    if np.median(values) > 1 / steps:
        return []
    return [f"Without input they are chaotic (median {_signed(middle)}): the input suppresses chaos."]


def _signed(value: float) -> str:
    """Three decimals with a sign; −∞ as such."""
    if np.isneginf(value):
        return "−∞"
    return f"{value:+.3f}".replace("-", "−")
