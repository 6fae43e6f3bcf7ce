"""Products of local Jacobians ∂h_T/∂h_t and their singular values over hundreds of decades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from explorer.cells.cell import HIDDEN
from explorer.engine import graded_svd
from explorer.engine.forward import Forward, System
from explorer.engine.graded_svd import Graded
from explorer.engine.partials import partials_between
from explorer.engine.pullback import Pullback
from explorer.trace import MEMORY_LIMIT, TooLarge, Trace

Output = Literal["h", "state"]
_LOG10_2 = float(np.log10(2))
_STRAIN = 5e5  # the condition a product's basis may reach before it is made orthogonal again
_STRAIN_LARGE = 3e6  # the same from H = 128 on, where time counts more
_DOUBTFUL = 1e-3  # singular values whose estimated relative error is larger are not shown
_STEEP = 1e-2  # slopes of one step that differ more are factored out before the matrix


class _Adjoints:
    """The transposed local Jacobians of one sample in float64, on stacked adjoints [S·H, M], h first."""

    def __init__(self, trace: Trace, sample: int, output: str) -> None:
        batch = trace.system.drive.shape[2]
        if sample not in range(batch) or isinstance(sample, bool):
            raise ValueError(f"sample is {sample!r}; allowed are the whole numbers 0 … {batch - 1}")
        if output not in ("h", "state"):
            raise ValueError(f"output is {output!r}; allowed are 'h' and 'state'")
        system, record = _one_sample(trace.system, trace.forward, int(sample))
        self.size, self.num_steps = system.hidden_size, len(record.slots)
        self.names = ("h", *(name for name in system.cell.states if name != "h"))
        self.parts = len(self.names) if output == "state" else 1
        self._system = system
        with np.errstate(invalid="ignore"):
            self._partials = partials_between(system.cell, record, 0, self.num_steps)
        exponent = self._partials.exponent
        self._powers = [0] * self.num_steps if exponent is None else exponent[:, 0, 0].tolist()
        self.zeros_are_true = exponent is None  # else slopes may have underflowed relative to the mildest
        self._pullbacks: dict[int, Pullback] = {}
        self._slopes, self.rank_of_h = self._pure_slopes(), self._rank_of_h()

    def start(self) -> np.ndarray:
        """∂s_T/∂s_T transposed, [S·H, M]."""
        return np.eye(len(self.names) * self.size, self.parts * self.size)

    def pull(self, t: int, stacked: np.ndarray) -> tuple[np.ndarray, int]:
        """From the adjoint [S·H, M] of the states at t + 1 to that of the states at t, and a power of two."""
        shape = -1, self.size, stacked.shape[1]
        if stacked.size == 0:
            return stacked, 0
        pullback = self._pullbacks.get(shape[2]) or Pullback(self._system, shape[2])
        self._pullbacks[shape[2]] = pullback
        before = np.empty(stacked.shape)
        after = {name: [part] for name, part in zip(self.names, stacked.copy().reshape(shape), strict=True)}
        filled = {name: [part] for name, part in zip(self.names, before.reshape(shape), strict=True)}
        pullback.pull(self._partials, slice(t, t + 1), after, filled)
        return before, self._powers[t]

    def step(self, t: int, x: Graded) -> Graded:
        """``pull`` for a graded product; slopes φ′ of very different size are factored out first."""
        if self._slopes is None or self._slopes[t].min() >= _STEEP * self._slopes[t].max():
            basis, power = self.pull(t, x.basis)
            return Graded(basis, x.exponents + power, x.doubt)
        x = graded_svd.condense(Graded(self._slopes[t][:, None] * x.basis, x.exponents, x.doubt), pivot=True)
        return Graded(self._system.matrix[:, : self.size].T @ x.basis, x.exponents + self._powers[t], x.doubt)

    def products(self, wanted: set[int] | None) -> Iterator[tuple[int, Graded]]:
        """(t, transposed product) for the wanted t, from T down; None: every t, good for σ_1 only."""
        columns = self.parts * self.size
        return graded_svd.graded_products(
            self.step,
            Graded(self.start(), np.zeros(columns, np.int64), np.zeros(columns)),
            self.num_steps,
            wanted,
            needed=1 if wanted is None else self.size,
            strain=_STRAIN if self.size < 128 else _STRAIN_LARGE,
            rank=self.rank_of_h if len(self.names) == 1 else None,
        )

    def _pure_slopes(self) -> np.ndarray | None:
        """[T, H] where the local Jacobian is diag(φ′)·U and nothing else, None for other cells."""
        p, wiring = self._partials, self._system.cell.wiring()
        pure = len(self.names) == len(wiring) == len(p.slots) == 1 and HIDDEN in wiring[0].reads
        if not pure or p.carry or p.within or p.message_slots or p.message_carry:
            return None
        slopes: np.ndarray = p.slots[0][2][:, 0, :, 0]
        return np.broadcast_to(slopes, (self.num_steps, self.size))

    def _rank_of_h(self) -> int | None:
        """Rank of the matrix, rows and columns scaled, or None if not everything reaches h_t through it."""
        system, p = self._system, self._partials
        if system.message_matrix is not None or any(name == "h" for _, name in p.carry):
            return None
        matrix = system.matrix[:, : self.size]
        for axis in (1, 0):
            largest = np.abs(matrix).max(axis=axis, keepdims=True)
            matrix = matrix / np.where(largest > 0, largest, 1)
        return int(np.linalg.matrix_rank(matrix))


def _one_sample(system: System, record: Forward, sample: int) -> tuple[System, Forward]:
    """Both as float64 with the column of one sample only."""
    only, message = slice(sample, sample + 1), system.message_matrix

    def columns(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.ascontiguousarray(array[..., only], np.float64) for name, array in arrays.items()}

    message = None if message is None else message.astype(np.float64)
    matrix = system.matrix.astype(np.float64)
    one = System(system.cell, matrix, message, system.drive, columns(system.initial))
    arrays = columns({"slots": record.slots, "gates": record.gates})
    exponents = None if record.exponents is None else record.exponents[:, only]
    conditions = record.conditions.astype(np.dtype(np.float64))
    return one, Forward(columns(record.states), **arrays, exponents=exponents, conditions=conditions)


def scaled_jacobian_products(
    trace: Trace, sample: int = 0, output: Output = "h"
) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian products as mantissas and powers of two, beyond the range of floats.

        ∂s_T/∂h_t = mantissas[t] · 2^exponents[t] = ∂s_T/∂s_{T-1} ⋯ ∂s_{t+2}/∂s_{t+1} · ∂s_{t+1}/∂h_t

    Args:
        trace: any trace; a float32 trace is differentiated in float64 at its stored states.
        sample: which sequence of the batch.
        output: "h" for ∂h_T/∂h_t; "state" for ∂s_T/∂h_t, s = (h, c, …) stacked with h first.

    Returns:
        mantissas [T+1, H, H] ([T+1, S·H, H] for the state; row = component at T, column = component of h_t)
        and integer exponents [T+1]. ∂/∂h_t moves h_t alone and holds the other parts of the state at t fixed,
        as autograd does for the output tensor h_t; entry T is the identity (above zeros). Each product is
        right to about 1e-16·T of its largest entry times the condition of the later factors; small singular
        values of these arrays are noise: see ``jacobian_singular_values``.

    Raises:
        ValueError: unknown ``sample`` or ``output``.
        TooLarge: the arrays would take more than 1 GB.
    """
    steps = _Adjoints(trace, sample, output)
    rows = steps.parts * steps.size
    needed = (steps.num_steps + 1) * rows * steps.size * 8
    if needed > MEMORY_LIMIT:
        longest = max(int(MEMORY_LIMIT / (rows * steps.size * 8)) - 1, 2)
        raise TooLarge(
            f"All Jacobian products would need {needed / 1e9:.1f} GB of memory and the limit is "
            f"{MEMORY_LIMIT / 1e9:.0f} GB: lower time steps T to {longest} or less."
        )
    products = np.empty((steps.num_steps + 1, rows, steps.size))
    exponents = np.zeros(steps.num_steps + 1, np.int64)
    adjoint, exponent = steps.start(), 0
    products[-1] = adjoint[: steps.size].T
    for t in reversed(range(steps.num_steps)):
        adjoint, power = steps.pull(t, adjoint)
        if not np.isfinite(adjoint).all():
            products[: t + 1], exponents[: t + 1] = np.nan, 0
            break
        shift = int(np.frexp(np.abs(adjoint).max())[1])
        if abs(shift) > 32:
            adjoint, power = np.ldexp(adjoint, -shift), power + shift
        exponent += power
        products[t], exponents[t] = adjoint[: steps.size].T, exponent
    return products, exponents


def jacobian_products(trace: Trace, sample: int = 0, output: Output = "h") -> np.ndarray:
    """∂h_T/∂h_t for every t as plain numbers.

        ∂h_T/∂h_t = Π_{k=t+1…T} ∂h_k/∂h_{k-1}     (Pascanu et al. 2013, eq. 5)

    Args:
        trace: any trace.
        sample: which sequence of the batch.
        output: "h" or "state", as in ``scaled_jacobian_products``, which also says what is held fixed.

    Returns:
        [T+1, H, H], or [T+1, S·H, H] for the state: row = component at T, column = component of h_t. Entries
        below 1e-308 fade to 0, those beyond 1e308 are ±inf; use ``scaled_jacobian_products`` there.

    Raises:
        ValueError, TooLarge: as ``scaled_jacobian_products``.
    """
    mantissas, exponents = scaled_jacobian_products(trace, sample, output)
    with np.errstate(over="ignore", under="ignore"):
        np.ldexp(mantissas, exponents[:, None, None], out=mantissas)
    return mantissas


def jacobian_singular_values(
    trace: Trace, sample: int = 0, steps: Sequence[int] | np.ndarray | None = None, output: Output = "state"
) -> np.ndarray:
    """log10 of all singular values of ∂s_T/∂h_t, however small.

        log10 σ_i(∂s_T/∂h_t),   i = 1 … H, descending

    The transposed product is kept as basis · diag(2^e) with nearly orthogonal columns and integer exponents,
    and its singular values come from a method for such matrices (``graded_svd``): 1e-1000 is as good as 1.

    Args:
        trace: any trace; a float32 trace is differentiated in float64 at its stored states.
        sample: which sequence of the batch.
        steps: state indices t in 0 … T; None for all of them. See ``log_spaced_steps``.
        output: "state" for ∂s_T/∂h_t with s = (h, c, …), "h" for ∂h_T/∂h_t.

    Returns:
        [len(steps), H] or [T+1, H], in decades, right to about 1e-11: the relative error is estimated on the
        way as 1e-16 · Σ condition of the local Jacobians (vanilla RNN: of U alone). NaN: the estimate tops
        1e-3, tanh slopes of one step differ by more than 1e308, or a state is not finite. −inf: a true zero,
        from dead ReLU units, gates that are exactly 0, or a recurrent matrix whose rank
        (``numpy.linalg.matrix_rank`` after scaling rows and columns to 1) is below H.

    Raises:
        ValueError: unknown ``sample``, ``output`` or step.
    """
    adjoints = _Adjoints(trace, sample, output)
    wanted = _check_steps(steps, adjoints.num_steps)
    found: dict[int, np.ndarray] = {}
    for t, x in adjoints.products(set(wanted.tolist())):
        found[t] = _log10_values(adjoints, t, x)
    return np.stack([found[t] for t in wanted.tolist()]) if len(wanted) else np.zeros((0, adjoints.size))


def largest_singular_values(trace: Trace, sample: int = 0, output: Output = "state") -> np.ndarray:
    """log10 of the spectral norm ‖∂s_T/∂h_t‖₂ = σ_1 for every t.

    Args:
        trace: any trace.
        sample: which sequence of the batch.
        output: "state" for ∂s_T/∂h_t with s = (h, c, …), "h" for ∂h_T/∂h_t.

    Returns:
        [T+1], in decades; relative error below 1e-10. This is the first column of
        ``jacobian_singular_values`` at a fraction of the cost: what falls 1e-16 below the largest direction
        is dropped on the way. −inf where the product is exactly zero, NaN after a state that is not finite.

    Raises:
        ValueError: unknown ``sample`` or ``output``.
    """
    adjoints = _Adjoints(trace, sample, output)
    result = np.full(adjoints.num_steps + 1, np.nan)
    for t, x in adjoints.products(None):
        result[t] = graded_svd.log2_norm(x.basis[: adjoints.size], x.exponents) * _LOG10_2
    return result


def log_spaced_steps(num_steps: int, count: int = 32) -> np.ndarray:
    """State indices 0 … T, ascending, about evenly spaced in log(T − t + 1): dense near T, with 0 and T.

    Args:
        num_steps: T, at least 1.
        count: how many indices at most, at least 2; all T + 1 when there are fewer.

    Returns:
        [min(count, T + 1)] integers.

    Raises:
        ValueError: ``num_steps`` or ``count`` too small.
    """
    for name, value, least in (("num_steps", num_steps, 1), ("count", count, 2)):
        if value < least:
            raise ValueError(f"{name} is {value}; allowed is {least} or more")
    count = min(count, num_steps + 1)
    lags = np.rint(np.geomspace(1, num_steps + 1, count)).astype(np.int64) - 1
    for k in range(1, count):  # rounding must not make two of them equal
        lags[k] = max(lags[k], lags[k - 1] + 1)
    return num_steps - lags[::-1]


def _check_steps(steps: Sequence[int] | np.ndarray | None, num_steps: int) -> np.ndarray:
    if steps is None:
        return np.arange(num_steps + 1)
    wanted = np.asarray(steps)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
        raise ValueError(f"steps is {steps!r}; allowed is a list of whole numbers 0 … {num_steps}")
    bad = wanted[(wanted < 0) | (wanted > num_steps)]
    if len(bad):
        raise ValueError(f"steps contains {bad[0]}; allowed are the state indices 0 … {num_steps}")
    return wanted.astype(np.int64)


def _log10_values(adjoints: _Adjoints, t: int, x: Graded) -> np.ndarray:
    """[H]: log10 σ_i with −inf for true zeros and NaN for what cannot be known."""
    size = adjoints.size
    if not x.finite:
        return np.full(size, np.nan)
    rank = adjoints.rank_of_h if t < adjoints.num_steps else None
    if len(adjoints.names) > 1 or not isinstance(x, graded_svd.Condensed):
        x = graded_svd.condense(Graded(x.basis[:size], x.exponents, x.doubt), rank=rank)
    values = graded_svd.log2_singular_values(x.core, x.exponents) * _LOG10_2
    values[~(x.doubt <= _DOUBTFUL)] = np.nan
    result = np.full(size, -np.inf if adjoints.zeros_are_true else np.nan)
    result[size if rank is None else rank :] = -np.inf  # the matrix itself sends nothing back there
    result[: len(values)] = values
    return result
