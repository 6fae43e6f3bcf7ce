r"""What each objective sends back to the decoder: its gradient with respect to the logits, in closed form.

.. math::
    \text{likelihood:}\quad & p - \text{onehot}(y) \\
    \text{label smoothing:}\quad & p - (1-\varepsilon)\,\text{onehot}(y) - \varepsilon / K \\
    \text{expected reward, one draw } \hat y:\quad & (R - b)\,(p - \text{onehot}(\hat y))

K are the tokens that can be said. The likelihood's gradient ends where p is sure; the smoothed one pushes
back from above 1 − ε + ε/K; the reward's does not know the right token at all, only whether what was said
has been paid more than usual: for R > b a step down this gradient makes it more likely. Scheduled sampling
has the likelihood's gradient at logits of other inputs. Sources: as ``explorer.seq2seq.objectives``.
"""

from __future__ import annotations

import numpy as np

from explorer.seq2seq.context import softmax


def likelihood_gradient(logits: np.ndarray, target: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
    """∂L_j/∂logits of every step, [Td, V], of logits [Td, V] and targets [Td]; ε = ``smoothing``.

    Tokens with the logit −inf cannot be said. Raises ValueError where target and logits do not fit, a target
    cannot be said, or ε is not in [0, 1].
    """
    p, said = _checked(logits, target)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is {smoothing}; allowed is 0 to 1")
    possible = np.isfinite(logits)
    even = possible / possible.sum(axis=1, keepdims=True)
    return np.asarray(p - (1 - smoothing) * said - smoothing * even)


def reward_gradient(logits: np.ndarray, drawn: np.ndarray, advantage: float) -> np.ndarray:
    """The same of −(R − b)·ln p(drawn answer), [T, V]; R − b is ``advantage``.

    Raises ValueError as ``likelihood_gradient``.
    """
    p, said = _checked(logits, drawn)
    return np.asarray(advantage * (p - said))


def _checked(logits: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p and the one-hot rows of tokens."""
    z, y = np.asarray(logits, np.float64), np.asarray(tokens)
    if z.ndim != 2 or y.shape != z.shape[:1] or not ((y >= 0) & (y < z.shape[1])).all():
        raise ValueError(
            f"logits have shape {z.shape} and tokens {y.tolist()}; needed is one token below V for each row"
        )
    if not np.isfinite(z[np.arange(len(y)), y]).all():
        raise ValueError(f"tokens are {y.tolist()}; one of them has a logit that is not finite")
    return softmax(z), np.eye(z.shape[1])[y]
