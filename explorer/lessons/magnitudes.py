"""Sizes far beyond the float range, kept as log10, and how they are written in LaTeX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_LOG2 = math.log10(2)
_PLAIN = range(-3, 4)  # powers of ten that are written out


def log10_norm(vector: np.ndarray, exponent: float = 0) -> float:
    """log10 of ‖vector‖₂ · 2^exponent; −inf for a vector of zeros, NaN where a number is missing."""
    values = np.abs(vector.astype(np.float64))
    largest = float(values.max(initial=0))
    if largest == 0 or not math.isfinite(largest):
        return -math.inf if largest == 0 else math.nan
    scaled = np.ldexp(values, -int(np.frexp(largest)[1]))
    norm = math.sqrt(float(np.square(scaled).sum()))
    return math.log10(norm) + _LOG2 * (exponent + int(np.frexp(largest)[1]))


def size_latex(log10: float) -> str:
    """A positive number, given by its log10, with three significant digits; 10^{-400} stays 10^{-400}."""
    if math.isnan(log10) or log10 == math.inf:
        return r"\text{(not a number)}"
    if log10 == -math.inf:
        return "0"
    power = math.floor(log10)
    digits = round(10 ** (log10 - power) * 100)
    if digits == 1000:
        power, digits = power + 1, 100
    if power not in _PLAIN:
        return rf"{digits / 100:.2f}\times 10^{{{power}}}"
    return f"{digits * 10.0 ** (power - 2):.{max(0, 2 - power)}f}"


def number_latex(value: float, exponent: float = 0) -> str:
    """value · 2^exponent of either sign with three significant digits."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else size_latex(math.nan)
    return ("-" if value < 0 else "") + size_latex(math.log10(abs(value)) + _LOG2 * exponent)


def aligned(*lines: str) -> str:
    """Formulas under each other; a part that is empty is left out."""
    return r"\begin{aligned}" + r" \\ ".join(line for line in lines if line) + r"\end{aligned}"


def norm_latex(inside: str) -> str:
    """‖inside‖."""
    return rf"\left\lVert {inside} \right\rVert"


def norm_is(inside: str, log10: float, equals: str = "=") -> str:
    """‖inside‖ = its size; ``equals`` may be ``&=``."""
    return f"{norm_latex(inside)} {equals} {size_latex(log10)}"


def grad_latex(state: str, step: Any, loss: str = "L") -> str:
    """∂L/∂state_step."""
    return rf"\frac{{\partial {loss}}}{{\partial {state}_{{{step}}}}}"
