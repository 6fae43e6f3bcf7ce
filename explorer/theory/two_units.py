"""Two tanh units, h ← tanh(W h + b): fixed points, trajectories, and the gradient along a trajectory.

Sources: Beer (1995), "On the dynamics of small continuous-time recurrent neural networks"; Doya (1993),
"Bifurcations of recurrent neural networks in gradient descent learning".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.activations import tanh_slope

LOG10_2 = float(np.log10(2))
_STARTS = (25, 49, 97)  # on a side, more of them if the indices do not add up
_NEWTON_STEPS = 50
_SAME = 1e-5  # distance between pre-activations below which two results are one
_BLUR = 0.05  # ... of neutral points, to which Newton's method creeps
_NEUTRAL = 1e-9


@dataclass(frozen=True)
class TwoUnitFixedPoints:
    """All h* = tanh(W h* + b) that were found.

    Attributes:
        matrix: W, [2, 2].
        bias: b, [2].
        states: h*, [P, 2].
        eigenvalues: of the Jacobian diag(1 − h*²) W, the larger modulus first, [P, 2], complex.
        kinds: P names: ``stable node``, ``stable spiral``, ``unstable node``, ``unstable spiral``,
            ``saddle``, and ``neutral`` where an eigenvalue has modulus 1.
        complete: whether the indices sign det(I − J) add up to 1, as they must for all fixed points of a map
            of a disc into itself; False where some are missing, or where one is neutral and has no index.
    """

    matrix: np.ndarray
    bias: np.ndarray
    states: np.ndarray
    eigenvalues: np.ndarray
    kinds: tuple[str, ...]
    complete: bool

    @property
    def radii(self) -> np.ndarray:
        """Spectral radius of the Jacobian at every fixed point, [P]: the factor of a gradient near it."""
        return np.asarray(np.abs(self.eigenvalues[:, 0]))

    def approached_from(self, state: np.ndarray, steps: int = 1000) -> int | None:
        """Index of the stable fixed point that the map reaches to 1e-6 within ``steps`` from a state [2]."""
        stable = np.flatnonzero(self.radii < 1)
        h = np.asarray(state, np.float64)
        for _ in range(steps if len(stable) else 0):
            distances = np.abs(self.states[stable] - h).max(axis=1)
            if distances.min() < 1e-6:
                return int(stable[distances.argmin()])
            h = np.tanh(self.matrix @ h + self.bias)
        return None


def two_unit_matrix(growth: float, rotation: float) -> np.ndarray:
    """Growth g times a rotation by an angle θ in radians, [2, 2]: eigenvalues g e^{±iθ}.

    Raises:
        ValueError: a number is not finite.
    """
    if not (np.isfinite(growth) and np.isfinite(rotation)):
        raise ValueError(f"growth is {growth} and rotation {rotation}; allowed are finite numbers")
    cosine, sine = np.cos(rotation), np.sin(rotation)
    return np.asarray(growth * np.array([[cosine, -sine], [sine, cosine]]))


def two_unit_fixed_points(matrix: np.ndarray, bias: np.ndarray | float = 0.0) -> TwoUnitFixedPoints:
    """All fixed points by Newton's method on a = W tanh(a) + b, from a grid of starts.

    The grid is fine where tanh bends and covers everything that a can be. More starts are taken if the
    indices of what was found do not add up to 1 (Lefschetz).

    Raises:
        ValueError: ``matrix`` is not [2, 2], ``bias`` not one or two numbers, or one of them is not finite.
    """
    w, b = _checked(matrix, bias)
    for count in _STARTS:
        at = _newton(w, b, count)
        slopes = tanh_slope(at)
        jacobians = slopes[:, :, None] * w
        determinants = np.linalg.det(np.eye(2) - jacobians)
        neutral = bool((np.abs(determinants) < _NEUTRAL).any())
        complete = not neutral and np.sign(determinants).sum() == 1
        if neutral or complete:
            break
    values = np.linalg.eigvals(jacobians).astype(complex)
    values = np.take_along_axis(values, np.argsort(-np.abs(values), axis=1), axis=1)
    kinds = tuple(_kind(pair) for pair in values)
    return TwoUnitFixedPoints(w, b, np.tanh(at) + 0.0, values, kinds, bool(complete))


def _newton(w: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    """Distinct zeros of W tanh(a) + b − a from ``count``² starts, in the order of a_1 and a_2, [P, 2]."""
    reach = np.abs(w).sum(axis=1) + np.abs(b) + 1
    bend = np.sinh(np.linspace(-1, 1, count) * np.arcsinh(reach[:, None]))
    a = np.stack(np.meshgrid(bend[0], bend[1]), axis=-1).reshape(-1, 2)
    for _ in range(_NEWTON_STEPS):
        rest = np.tanh(a) @ w.T + b - a
        slopes = tanh_slope(a)
        p, q = w[0, 0] * slopes[:, 0] - 1, w[0, 1] * slopes[:, 1]
        r, s = w[1, 0] * slopes[:, 0], w[1, 1] * slopes[:, 1] - 1
        det = p * s - q * r
        det[det == 0] = np.finfo(float).eps
        change = np.stack([s * rest[:, 0] - q * rest[:, 1], p * rest[:, 1] - r * rest[:, 0]], axis=1)
        a = np.clip(a - change / det[:, None], -reach, reach)
    rest = np.abs(np.tanh(a) @ w.T + b - a).max(axis=1)
    radius = np.where(np.abs(det) < _NEUTRAL, _BLUR, _SAME)
    left = np.flatnonzero(rest < 1e-11 * reach.max())
    left = left[np.argsort(rest[left], kind="stable")]
    distinct = []
    while len(left):
        distinct.append(a[left[0]])
        left = left[np.abs(a[left] - distinct[-1]).max(axis=1) > radius[left]]
    found = np.array(distinct).reshape(-1, 2)
    return np.asarray(found[np.lexsort(found.T[::-1])])


def _kind(eigenvalues: np.ndarray) -> str:
    sizes = np.abs(eigenvalues)
    if (np.abs(sizes - 1) < _NEUTRAL).any():
        return "neutral"
    if (sizes > 1).sum() == 1:
        return "saddle"
    shape = "spiral" if np.abs(eigenvalues.imag).max() > _NEUTRAL else "node"
    return f"{'stable' if sizes[0] < 1 else 'unstable'} {shape}"


# ---- trajectories ----


def trajectories(
    matrix: np.ndarray, bias: np.ndarray | float, starts: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    r"""States h_0 … h_T from every start, [T+1, S, 2], and log10 ‖∂h_t/∂h_0‖₂, [T+1, S].

    The Jacobian is the product of diag(1/cosh² a_t) W with a power of two carried for each start, so that
    1e-1000 is as exact as 1; −inf where it is exactly 0.

    Args:
        matrix: W, [2, 2].
        bias: b, one number or [2].
        starts: h_0, [S, 2].
        steps: T.

    Raises:
        ValueError: as ``two_unit_fixed_points``, or for starts and steps of another form.
    """
    w, b = _checked(matrix, bias)
    first = np.asarray(starts, np.float64)
    if first.ndim != 2 or first.shape[1] != 2 or not np.isfinite(first).all():
        raise ValueError(f"starts have the shape {list(first.shape)}; allowed are finite numbers [S, 2]")
    if steps < 0:
        raise ValueError(f"steps is {steps}; allowed is 0 or more")
    states = np.empty((steps + 1, *first.shape))
    products = np.empty((steps + 1, len(first), 2, 2))
    exponents = np.zeros((steps + 1, len(first)), np.int64)
    states[0], products[0] = first, np.eye(2)
    for t in range(steps):
        a = states[t] @ w.T + b
        states[t + 1] = np.tanh(a)
        product = tanh_slope(a)[:, :, None] * (w @ products[t])
        shift = np.frexp(np.abs(product).max(axis=(1, 2)))[1]
        products[t + 1] = np.ldexp(product, -shift[:, None, None])
        exponents[t + 1] = exponents[t] + shift
    with np.errstate(divide="ignore"):
        return states, np.log10(_norms(products)) + exponents * LOG10_2


def _norms(matrices: np.ndarray) -> np.ndarray:
    """Largest singular values of matrices [..., 2, 2], each a scaled rotation plus a scaled reflection."""
    p, q, r, s = (matrices[..., i, j] for i in (0, 1) for j in (0, 1))
    return np.asarray((np.hypot(p + s, q - r) + np.hypot(p - s, q + r)) / 2)


def starts_around(count: int = 12) -> np.ndarray:
    """Starts on a circle of radius 0.95, half a spacing away from the axes, [count, 2]."""
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    return 0.95 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def direction_field(
    matrix: np.ndarray, bias: np.ndarray | float = 0.0, points: int = 15
) -> tuple[np.ndarray, np.ndarray]:
    """Where one step leads from a grid over [−1, 1]²: states and h_next − h, [points², 2] each.

    Raises:
        ValueError: as ``two_unit_fixed_points``, or ``points`` is below 2.
    """
    if points < 2:
        raise ValueError(f"points is {points}; allowed is 2 or more")
    side = np.linspace(-1, 1, points)
    states = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    after = trajectories(matrix, bias, states, 1)[0][1]
    return states, after - states


def _checked(matrix: np.ndarray, bias: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    w, b = np.asarray(matrix, np.float64), np.asarray(bias, np.float64)
    if w.shape != (2, 2) or not np.isfinite(w).all():
        raise ValueError(f"the matrix has the shape {list(w.shape)}; allowed are finite numbers [2, 2]")
    if b.shape not in ((), (2,)) or not np.isfinite(b).all():
        raise ValueError(f"the bias has the shape {list(b.shape)}; allowed are one or two finite numbers")
    return w, np.broadcast_to(b, (2,))
