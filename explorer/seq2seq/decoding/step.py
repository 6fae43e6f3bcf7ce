"""The one interface of all decoding strategies: a function from a prefix to log-probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Step = Callable[[tuple[int, ...]], np.ndarray]
"""Tokens so far → log P(next token | tokens so far), [V]; −inf for what cannot follow."""
Attention = Callable[[tuple[int, ...]], np.ndarray]
"""Tokens y → attention weights [|y|, S] over S source positions: row j was used to choose y_j."""

_TOLERANCE = 1e-4  # of a sum of probabilities; a float32 softmax over thousands of tokens stays within it


@dataclass(frozen=True)
class DecodingModel:
    """What is decoded: a step with names for its tokens.

    Attributes:
        step: prefix → log-probabilities [V].
        symbols: V names.
        end: the token that ends a sequence; None where nothing does and sequences only reach a length.
        attention: its attention weights, for the coverage penalty; None if it has none.
    """

    step: Step
    symbols: tuple[str, ...]
    end: int | None
    attention: Attention | None = None


def log_probabilities(step: Step, prefix: tuple[int, ...]) -> np.ndarray:
    """``step(prefix)``, [V] in float64, after a look at whether these are log-probabilities.

    Raises:
        ValueError: the vector is empty or not a vector, has a NaN or a positive number, or the probabilities
            do not add up to 1 within 1e-4. Nothing is normalised in silence.
    """
    found = np.asarray(step(prefix), np.float64)
    if found.ndim != 1 or not len(found):
        raise ValueError(
            f"step gives an array of shape {list(found.shape)}; needed is a vector [V] with V ≥ 1"
        )
    if np.isnan(found).any():
        raise ValueError(f"step gives NaN after {len(prefix)} tokens; allowed are log-probabilities")
    if found.max() > _TOLERANCE:
        raise ValueError(
            f"step gives a log-probability of {found.max():.4g} after {len(prefix)} tokens; allowed is ≤ 0"
        )
    total = float(np.exp(found).sum())
    if abs(total - 1) > _TOLERANCE:
        raise ValueError(
            f"probabilities add up to {total:.6g} after {len(prefix)} tokens; they must add up to 1"
        )
    return np.minimum(found, 0.0)


def after(step: Step, start: tuple[int, ...]) -> Step:
    """The same step for sequences that begin behind ``start``."""
    return lambda prefix: step(start + prefix)
