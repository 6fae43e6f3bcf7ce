"""What the section Mean field says: the phase, and how the measured networks compare with theory."""

from __future__ import annotations

import math

import numpy as np

from explorer.theory import MeanField

_CRITICAL = 1e-3  # |χ₁ − 1| that is called critical


def phase_words(field: MeanField[float], step: str = "layer") -> tuple[str, str]:
    """(tone, two sentences): the phase, χ₁ and what it means for gradients and for two signals.

    Args:
        field: the mean field.
        step: what a layer is called.
    """
    tone, name = _phase(field)
    said = f"{name}: χ₁ = {_number(field.chi)}. {_gradients(field.chi, step)}; {_signals(field, step)}."
    return tone, said


def measured_words(growth: np.ndarray, chi: float, tolerance: float, width: int) -> str:
    """One sentence: the growth of a gradient's square in S networks [S] against χ₁ and its band.

    Args:
        growth: measured in each network, 0 where the gradient died.
        chi: χ₁.
        tolerance: half the height of the band as a share of χ₁.
        width: units of each network.
    """
    count = len(growth)
    who = f"{count} networks" if count > 1 else "a network"
    if not growth.any():
        return f"Measured growth in {who} of {width} units: exactly 0."
    low, high = _number(growth.min()), _number(growth.max())
    found = low if low == high else f"{low} to {high}"
    inside = int((np.abs(growth - chi) <= tolerance * chi).sum())
    share = {count: "inside", 0: "outside"}.get(inside, f"{inside} inside")
    band = f"the band χ₁\u00a0±\u00a0{100 * tolerance:.2g}\u00a0%"
    return f"Measured growth in {who} of {width} units: {found}, {share} {band}."


def _phase(field: MeanField[float]) -> tuple[str, str]:
    """(tone, name) of the phase."""
    if abs(field.chi - 1) <= _CRITICAL:
        return "survives", "Critical"
    if field.chi < 1:
        return "vanishes", "Ordered"
    return "explodes", "Chaotic" if field.c < 1 else "Beyond critical, without a fixed length"


def _gradients(chi: float, step: str) -> str:
    """What χ₁ means for the norm of a gradient."""
    if chi == 0:
        return f"Gradients are exactly 0 after one {step}"
    decades = abs(math.log10(chi)) / 2
    if decades < 1e-9:
        return "Gradients keep their size"
    tenfold = f" (tenfold in {_count(1 / decades)} {step}s)"
    if abs(chi - 1) <= _CRITICAL:
        return f"Gradients hardly change{tenfold}"
    verb = "vanish" if chi < 1 else "explode"
    return f"Gradients {verb} by {decades:.2g} decades a {step}{tenfold if decades < 0.5 else ''}"


def _signals(field: MeanField[float], step: str) -> str:
    """What becomes of two signals."""
    if np.isnan(field.c):
        return "two signals keep their correlation"
    if field.xi_c == 0:
        return f"nothing is left of a signal after one {step}"
    if np.isinf(field.xi_c):
        return "two signals become equal, but slower than any exponential (ξ = ∞)"
    depth = f"ξ\u00a0=\u00a0{_count(field.xi_c)}\u00a0{step}s"
    if field.c < 1:
        return f"nearly equal signals part to a correlation of {_number(field.c)} ({depth})"
    return f"a difference between two signals falls to 1/e in {depth}"


def _number(value: float) -> str:
    """Three digits, and three behind the point close to 1."""
    return f"{value:.4g}" if 1 <= value < 1.1 else f"{value:.3g}"


def _count(number: float) -> str:
    """Layers."""
    return f"{number:.2g}" if number < 10 else f"{number:,.0f}"
