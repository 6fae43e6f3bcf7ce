"""Two lanes back through time: the direct path from state to state, and everything that passes a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from explorer.cells.cell import HIDDEN, MESSAGE, Partials
from explorer.engine.pullback import Pullback, Views
from explorer.measures.adjoints import SlotAdjoints, complete, slot_adjoints
from explorer.measures.norms import log10_norms
from explorer.trace import Trace

_WORK = 2e8  # multiplications that the full derivative may cost: below about a tenth of a second
_FEWEST = 4  # directions, however large the network is
_COMFORT = 32  # adjoints within 2^±32 are left as they are


@dataclass(frozen=True)
class LaneDerivatives:
    r"""How much of a change of s_t is still there in s_T: along the direct lane alone, and in all.

    Sizes are log10 of the root mean square :math:`\lVert J\rVert_F / \sqrt H` of the H × H Jacobian
    J = ∂s_T/∂s_t: the identity has size 1, and a diagonal matrix the root mean square of its entries. −inf
    where it is exactly 0.

    Attributes:
        state: s, the state that has a direct path to its own next value: the LSTM's c, the GRU's h.
        direct: diag(Π_{k>t} d_k), [T+1], with d_k the factors of the direct path (the forget gate).
        full: the total derivative, [T+1], as autograd gives it: a change of c_t also changes h_t.
        directions: how many directions of s_T ``full`` was computed for; H of them make it exact, fewer
            (random and orthogonal) make it an unbiased estimate of its square.
        gate: diag(Π_{k>t} f_k) of the forget gates alone, [T+1], where that is not the direct lane: with
            peepholes the cell reaches its next value by its gates as well. None where it is the same.
    """

    state: str
    direct: np.ndarray
    full: np.ndarray
    directions: int
    gate: np.ndarray | None = None


@dataclass(frozen=True)
class LaneShares:
    r"""By which lanes the gradient arrives at the whole state (h, c, …) one step earlier; arrays [T, B].

    Entry t−1 belongs to the step back from t to t−1, before a loss that is read at t−1 is added. Keys are
    the name of a state for its direct path (``c``: f ⊙ ∂L/∂c_t) and the name of a slot for the path through
    its matrix (``forget``: U_fᵀ δ^f).

    Attributes:
        shares: ⟨part, total⟩ / ⟨total, total⟩: what a part contributes along the arriving gradient. They sum
            to 1; negative where a part works against the rest. NaN where exactly nothing arrives.
        norms: log10 ‖part‖.
    """

    shares: dict[str, np.ndarray]
    norms: dict[str, np.ndarray]


def lane_state(partials: Partials, states: tuple[str, ...]) -> str | None:
    """The first state whose old value reaches its new one without a matrix; None without such a path."""
    return next((name for name in states if (name, name) in partials.carry), None)


def keeping_factors(trace: Trace) -> tuple[str, np.ndarray] | None:
    """s and d_t = ∂s_t/∂s_{t-1} with all slots held fixed, [T, H, B]; None for a cell without a direct path.

    The LSTM's forget gate (with peepholes, what they add to it as well), the GRU's z or 1 − z.
    """
    blocks, name = [], None
    for _, partials in trace.partial_blocks():
        name = lane_state(partials, trace.experiment.cell.states)
        if name is None:
            return None
        size = (len(partials.slots[0][2]), *trace.forward.states[name].shape[1:])
        blocks.append(np.broadcast_to(partials.carry[name, name], size))
    return (name, np.concatenate(blocks[::-1])) if name else None


def lane_derivatives(trace: Trace, sample: int = 0) -> LaneDerivatives | None:
    """Both lanes of one sample; see ``LaneDerivatives``. None for a cell without a direct path.

    All H directions of s_T are pulled back, or in large networks as many as 2e8 multiplications allow. One
    power of two is carried for all of them. Relative accuracy about 1e-16·T in float64.
    """
    steps, size = trace.num_steps, trace.system.hidden_size
    work = steps * trace.system.num_slots * size**2
    directions = min(size, max(_FEWEST, int(_WORK // work)))
    blocks = trace.partial_blocks()
    last = next(blocks)
    state = lane_state(last[1], trace.experiment.cell.states)
    if state is None:
        return None
    pulled = _pulled(trace, state, sample, directions, chain([last], blocks))
    factors, full = np.ones((steps, size)), np.zeros(steps + 1)
    for t, factor, adjoint, exponent in pulled:
        full[t] = log10_norms(adjoint.reshape(1, -1, 1), np.array([[exponent]])).item()
        full[t] -= 0.5 * np.log10(directions)
        if factor is not None:
            factors[t] = factor
    forget = trace.gates["forget"][:, sample] if state == "c" and "forget" in trace.gates else factors
    gate = None if np.allclose(forget, factors, rtol=1e-6, atol=0) else _products_after(forget)
    return LaneDerivatives(state, _products_after(factors), full, directions, gate)


def _pulled(
    trace: Trace, state: str, sample: int, directions: int, blocks: Iterable[tuple[int, Partials]]
) -> Iterator[tuple[int, np.ndarray | None, np.ndarray, int]]:
    """(t, d_{t+1} [H], total adjoint of s_t [H, M], its power of two) for t = T … 0, one sample."""
    system, cell = trace.system, trace.experiment.cell
    size, dtype = system.hidden_size, system.matrix.dtype
    start = np.eye(size)
    if directions < size:
        start = np.linalg.qr(trace.experiment.rng("lanes").standard_normal((size, directions)))[0]
    pullback, exponent = Pullback(system, directions), 0
    adjoint = {name: np.zeros((size, directions), dtype) for name in cell.states}
    adjoint[state][...] = start
    factor = None
    for first, partials in blocks:
        one = _of_sample(partials, sample)
        for i in reversed(range(len(partials.slots[0][2]))):
            before = {name: np.empty_like(array) for name, array in adjoint.items()}
            with np.errstate(over="ignore", invalid="ignore"):
                pullback.pull(one, slice(i, i + 1), _views(adjoint), _views(before))
            yield first + i + 1, factor, adjoint[state], exponent
            adjoint, factor = before, np.broadcast_to(one.carry[state, state][i][:, 0], size)
            power = int(np.frexp(max(np.abs(array).max() for array in adjoint.values()))[1])
            if abs(power) > _COMFORT:
                adjoint = {name: np.ldexp(array, -power) for name, array in adjoint.items()}
                exponent += power
    yield 0, factor, adjoint[state], exponent


def _views(adjoint: dict[str, np.ndarray]) -> Views:
    """The adjoint of one step in the form of many."""
    return {name: [array] for name, array in adjoint.items()}


def _of_sample(partials: Partials, sample: int) -> Partials:
    """The derivatives of one sample only, as columns [.., H, 1]."""

    def column(array: np.ndarray) -> np.ndarray:
        return array if array.shape[-1] == 1 else array[..., sample : sample + 1]

    def columns(arrays: dict[Any, np.ndarray]) -> dict[Any, np.ndarray]:
        return {name: column(array) for name, array in arrays.items()}

    return Partials(
        [(state, where, column(slope)) for state, where, slope in partials.slots],
        columns(partials.carry),
        columns(partials.within),
        columns(partials.message_slots),
        columns(partials.message_carry),
    )


def _products_after(factors: np.ndarray) -> np.ndarray:
    """log10 of the root mean square over the units of Π_{k>t} d_k, [T+1], for factors [T, H]."""
    kept = np.zeros((len(factors) + 1, factors.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 times a gate that overflowed is no number
        decades = np.log10(np.abs(factors.astype(np.float64)))
        kept[:-1] = np.cumsum(decades[::-1], axis=0)[::-1]
    largest = kept.max(axis=1, keepdims=True)
    with np.errstate(under="ignore", invalid="ignore"):
        inside = np.log10(np.mean(10.0 ** (2 * (kept - largest)), axis=1))
    return np.asarray(np.where(np.isfinite(largest[:, 0]), largest[:, 0] + 0.5 * inside, largest[:, 0]))


def lane_shares(trace: Trace) -> LaneShares:
    """How much of the arriving gradient came by each lane; see ``LaneShares``.

    Shares and norms are formed of mantissas that are scaled by the largest entry of a step first, so that a
    gradient of 1e-400 splits as exactly as one of 1.
    """
    steps, batch = trace.num_steps, trace.forward.slots.shape[-1]
    shares: dict[str, np.ndarray] = {}
    norms: dict[str, np.ndarray] = {}
    for block in slot_adjoints(trace):
        rows = slice(block.start, block.start + len(block.delta))
        with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
            parts = _parts(trace, block)
        largest = np.max([np.abs(a).max(axis=1) for part in parts.values() for a in part.values()], axis=0)
        scale = np.where(np.isfinite(largest) & (largest > 0), np.frexp(largest)[1], 0)
        totals: dict[str, np.ndarray] = {}
        for part in parts.values():
            for state, array in part.items():
                np.ldexp(array, -scale[:, None], out=array)
                totals[state] = totals[state] + array if state in totals else array.copy()
        with np.errstate(invalid="ignore", over="ignore"):
            size = _products(totals, totals)
        for name, part in parts.items():
            with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
                ratio = _products(part, totals) / size
            shares.setdefault(name, np.full((steps, batch), np.nan))[rows] = np.where(size > 0, ratio, np.nan)
            norms.setdefault(name, np.full((steps, batch), -np.inf))[rows] = log10_norms(
                list(part.values()), block.exponents + scale
            )
    return LaneShares(shares, norms)


def _parts(trace: Trace, block: SlotAdjoints) -> dict[str, dict[str, np.ndarray]]:
    """Lane → state → what arrives there by it, [n, H, B] times 2^exponents of the block."""
    parts = {state: {state: array.astype(np.float64)} for state, array in block.carried.items()}
    complete(trace, block)
    system, wiring = trace.system, trace.experiment.cell.wiring()
    size = system.hidden_size
    direct = len(system.matrix) // size
    for k, slot in enumerate(wiring):
        delta = block.delta[:, k].astype(np.float64)
        if HIDDEN in slot.reads:
            rows = system.matrix[k * size : (k + 1) * size, :size]
            parts[slot.name] = {"h": np.matmul(rows.T, delta)}
        elif MESSAGE in slot.reads and system.message_matrix is not None:
            message = np.matmul(system.message_matrix[(k - direct) * size :][:size].T, delta)
            carry = block.partials.message_carry
            parts[slot.name] = {state: factor * message for state, factor in carry.items()}
    return parts


def _products(part: dict[str, np.ndarray], total: dict[str, np.ndarray]) -> np.ndarray:
    """⟨part, total⟩ over all units of all states, [n, B]."""
    sums = [(array * total[state]).sum(axis=1) for state, array in part.items()]
    return np.asarray(np.sum(sums, axis=0))
