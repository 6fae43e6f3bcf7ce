"""Sums of powers, Σ_s (Aᵀ)^(s−t) y_s, as log10 norms that neither over- nor underflow."""

from __future__ import annotations

import numpy as np

LOG10_2 = np.log10(2.0)


def log10_norm(vector: np.ndarray, exponents: np.ndarray | int = 0) -> float:
    """log10 of the 2-norm of ``vector`` · 2^``exponents``; −inf for exact zeros."""
    mantissa, power = np.frexp(vector)
    power = power.astype(np.int64) + exponents
    alive = mantissa != 0
    if not alive.any():
        return -np.inf
    top = int(power[alive].max())
    inside = np.ldexp(mantissa[alive], np.maximum(power[alive] - top, -2000))
    return float(np.log10(np.linalg.norm(inside)) + top * LOG10_2)


def diagonal_norms(log_factors: np.ndarray, signs: np.ndarray, injections: np.ndarray) -> np.ndarray:
    """log10 ‖a_t‖ for t = 0 … T of a_t = y_t + d ⊙ a_{t+1}, each component with its own logarithm.

    Args:
        log_factors: ln|d| [H]; −inf where d is 0.
        signs: sign of d [H].
        injections: y [T+1, H].

    Stretches without an injection are crossed in one multiplication by the number of steps, so the error
    does not grow with the lag.
    """
    num_states, size = injections.shape
    result = np.full(num_states, -np.inf)
    logs, sign = np.full(size, -np.inf), np.zeros(size)  # a at the last injection
    at = num_states - 1
    for t in range(num_states - 1, -1, -1):
        lag = at - t
        with np.errstate(invalid="ignore", divide="ignore"):
            now = logs + (lag * log_factors if lag else 0.0)
            now_sign = sign * (signs**lag if lag else 1.0)
            if injections[t].any():
                new = np.log(np.abs(injections[t]))
                now, now_sign = _add(now, now_sign, new, np.sign(injections[t]))
                logs, sign, at = now, now_sign, t
        top = now.max()
        if top > -np.inf:
            result[t] = (top + 0.5 * np.log(np.exp(2 * (now - top)).sum())) / np.log(10)
    return result


def _add(
    a: np.ndarray, sign_a: np.ndarray, b: np.ndarray, sign_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """ln|x + y| and its sign from ln|x|, ln|y| and the signs."""
    top = np.maximum(a, b)
    base = np.where(top > -np.inf, top, 0.0)
    total = sign_a * np.exp(a - base) + sign_b * np.exp(b - base)
    return base + np.log(np.abs(total)), np.sign(total)


def repeated_norms(matrix: np.ndarray, injections: np.ndarray) -> np.ndarray:
    """log10 ‖a_t‖ for t = 0 … T of a_t = y_t + A a_{t+1}, with one exponent carried; y [T+1, H], A [H, H]."""
    num_states, size = injections.shape
    result = np.full(num_states, -np.inf)
    vector, exponent = np.zeros(size), 0
    for t in range(num_states - 1, -1, -1):
        vector = matrix @ vector
        if injections[t].any():
            base = max(exponent, 0) if vector.any() else 0
            vector = np.ldexp(vector, max(exponent - base, -4000)) + np.ldexp(injections[t], -min(base, 4000))
            exponent = base
        largest = float(np.abs(vector).max())
        if largest > 0:
            power = int(np.frexp(largest)[1])
            vector = np.ldexp(vector, -power)
            exponent += power
            result[t] = log10_norm(vector, exponent)
    return result
