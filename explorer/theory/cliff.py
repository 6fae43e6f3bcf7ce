"""The cliff in the loss of a one-unit network, x ← w·σ(x) + b, and what clipping does to a step there.

After T steps from x_0 = 0.5 the loss is L = (σ(x_T) − 0.7)². For w·σ′(x_0) > 1 and b = x_0 − w·σ(x_0) the
start is an unstable fixed point, which separates the basins of two stable ones: to one side of this line in
the (w, b) plane x_T is high, to the other it is low, and the loss has a cliff between.

Sources: Doya (1993), "Bifurcations of recurrent neural networks in gradient descent learning"; Pascanu,
Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from explorer.theory.clipping import CLIPPINGS, clipping_of

START, TARGET, STEPS = 0.5, 0.7, 50
"""x_0, what σ(x_T) should be, and T."""


def edge_bias(weight: float) -> float:
    """b = x_0 − w·σ(x_0), for which the start is a fixed point: the edge of the cliff, if there is one.

    It is a cliff where that fixed point is unstable, ``edge_factor(weight)`` > 1.
    """
    return float(START - _finite("weight", weight) * expit(START))


def edge_factor(weight: float) -> float:
    """w·σ′(x_0), by which a step at the edge multiplies a small disturbance of the state."""
    return float(_finite("weight", weight) * np.exp(_log_sigmoid_slope(np.array(START))))


def cliff_loss(
    weight: float | np.ndarray, bias: float | np.ndarray, num_steps: int = STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """(L, σ(x_T)) for all weights and biases at once; their shapes are broadcast.

    Raises:
        ValueError: a number is not finite, or ``num_steps`` is below 1.
    """
    w, b, shape = _points(weight, bias)
    x = np.full(len(w), START)
    for _ in range(_steps(num_steps)):
        x = w * expit(x) + b
    y = expit(x).reshape(shape)
    return (y - TARGET) ** 2, y


@dataclass(frozen=True)
class CliffGradient:
    """Loss and gradient at points of the (w, b) plane.

    Attributes:
        loss: L, [...].
        decades: log10 ‖(∂L/∂w, ∂L/∂b)‖, [...]; −inf for an exact 0. It neither overflows nor vanishes.
        direction: the gradient's unit vector, [..., 2]; 0 for an exact 0.
    """

    loss: np.ndarray
    decades: np.ndarray
    direction: np.ndarray

    @property
    def vector(self) -> np.ndarray:
        """(∂L/∂w, ∂L/∂b), [..., 2]; ±inf beyond the range of floats, 0 below it."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            size = 10.0 ** self.decades[..., None]
            return np.asarray(np.where(self.direction == 0, 0.0, self.direction * size))


def cliff_gradient(
    weight: float | np.ndarray, bias: float | np.ndarray, num_steps: int = STEPS
) -> CliffGradient:
    """The exact gradient, for all weights and biases at once, as a sum over the steps where w and b enter.

    ∂x_T/∂(w, b) = Σ_t (Π_{t<u<T} w·σ′(x_u)) · (σ(x_t), 1) for t = 0 … T − 1, and
    ∂L/∂(w, b) = 2·(σ(x_T) − 0.7)·σ′(x_T) · ∂x_T/∂(w, b). Products are sums of logarithms, with
    log σ′(x) = −|x| − 2·log(1 + e^{−|x|}), so nothing overflows or vanishes.

    Raises:
        ValueError: as ``cliff_loss``.
    """
    w, b, shape = _points(weight, bias)
    x = np.full((_steps(num_steps) + 1, len(w)), START)
    for t in range(num_steps):
        x[t + 1] = w * expit(x[t]) + b
    y, log_slope = expit(x), _log_sigmoid_slope(x)
    with np.errstate(divide="ignore"):
        factors = np.log(np.abs(w)) + log_slope[1:-1]
        outer = np.log(2 * np.abs(y[-1] - TARGET)) + log_slope[-1]
    behind = np.zeros((num_steps, len(w)))  # log of the product of all factors behind step t
    behind[:-1] = np.cumsum(factors[::-1], axis=0)[::-1]
    largest = behind.max(axis=0)
    weights = np.sign(w) ** np.arange(num_steps)[::-1, None] * np.exp(behind - largest)
    summed = np.stack([(weights * y[:-1]).sum(axis=0), weights.sum(axis=0)], axis=-1)
    size = np.hypot(summed[:, 0], summed[:, 1])
    with np.errstate(divide="ignore"):
        decades = (outer + largest + np.log(size)) / np.log(10)
    unit = np.sign(y[-1] - TARGET)[:, None] * summed / np.where(size > 0, size, 1.0)[:, None]
    loss = (y[-1] - TARGET) ** 2
    return CliffGradient(loss.reshape(shape), decades.reshape(shape), unit.reshape(*shape, 2))


def _log_sigmoid_slope(x: np.ndarray) -> np.ndarray:
    """log σ′(x), exact in both tails."""
    size = np.abs(x)
    return np.asarray(-size - 2 * np.log1p(np.exp(-size)))


# ---- descent ----


@dataclass(frozen=True)
class Descent:
    """Steps of gradient descent on the loss of the one-unit network.

    Attributes:
        points: (w, b) before every step and after the last, [n+1, 2].
        losses: L there, [n+1].
        decades: log10 of the gradient's norm there, [n+1].
        clipped: whether clipping changed the gradient of the step from there, [n].
    """

    points: np.ndarray
    losses: np.ndarray
    decades: np.ndarray
    clipped: np.ndarray


def descent(
    weight: float,
    bias: float,
    learning_rate: float,
    *,
    clip: str = "none",
    threshold: float = 1.0,
    count: int = 1,
    num_steps: int = STEPS,
) -> Descent:
    """``count`` steps (w, b) ← (w, b) − η·clip(∂L/∂(w, b)); fewer where a step leaves the range of floats.

    Raises:
        ValueError: a number is not finite, the kind of clipping is unknown, or the threshold is not positive.
    """
    rate, clipping = float(_finite("learning_rate", learning_rate)), clipping_of(clip)
    points = [np.array([float(_finite("weight", weight)), float(_finite("bias", bias))])]
    here = cliff_gradient(points[0][0], points[0][1], num_steps)
    losses, decades, clipped = [here.loss], [here.decades], []
    for _ in range(count):
        left = clipping(here.vector, threshold)
        with np.errstate(over="ignore", invalid="ignore"):
            point = points[-1] - rate * left
        if not np.isfinite(point).all():
            break
        clipped.append(bool((left != here.vector).any()))
        here = cliff_gradient(point[0], point[1], num_steps)
        points.append(point)
        losses.append(here.loss)
        decades.append(here.decades)
    return Descent(np.array(points), np.array(losses), np.array(decades), np.array(clipped, bool))


def single_steps(
    weight: float, bias: float, learning_rate: float, threshold: float = 1.0, num_steps: int = STEPS
) -> dict[str, Descent]:
    """One step of descent from the same point for each kind of clipping.

    Raises:
        ValueError: as ``descent``.
    """
    return {
        clip: descent(weight, bias, learning_rate, clip=clip, threshold=threshold, num_steps=num_steps)
        for clip in CLIPPINGS
    }


def _points(
    weight: float | np.ndarray, bias: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Weights [M], biases [M] and the shape of both together."""
    w, b = np.broadcast_arrays(_finite("weight", weight), _finite("bias", bias))
    return w.ravel(), b.ravel(), w.shape


def _finite(name: str, value: float | np.ndarray) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is {value}; allowed are finite numbers")
    return array


def _steps(count: int) -> int:
    if count < 1:
        raise ValueError(f"num_steps is {count}; allowed is 1 or more")
    return count
