"""Three comparisons: autograd step by step, autograd end to end, finite differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.norms import gradient_norms
from explorer.verify.moment import Moment
from explorer.verify.rows import Rows
from explorer.verify.textbook import step

LOOP_COST = 4e5  # a torch step of the end-to-end loop, in multiplications of a matrix product
FLAT = 1e-2  # finite differences cannot resolve steps that shrink the adjoint further than this
LARGE = 100.0  # beyond, a step that a large state can resolve is too coarse for the curvature of small ones
STEP_SIZE = 6e-6  # near (3·eps)^⅓, where truncation and rounding of a central difference balance


def _norms(*arrays: np.ndarray) -> np.ndarray:
    """2-norms over the last axis, several arrays counting as one vector."""
    return np.asarray(np.sqrt(sum(np.einsum("tbh,tbh->tb", a, a) for a in arrays)))


@dataclass(frozen=True)
class Worst:
    """The largest error of a comparison and its (t, sample)."""

    error: float
    at: tuple[int, int]


def _worst(rows: Rows, errors: np.ndarray) -> Worst | None:
    """Of errors [time, samples], NaN where nothing was compared; None if that is everywhere."""
    if np.isnan(errors).all():
        return None
    t, b = np.unravel_index(int(np.nanargmax(errors)), errors.shape)
    return Worst(float(errors[t, b]), (int(t), int(rows.samples[b])))


def autograd_errors(rows: Rows) -> tuple[Worst | None, int, int]:
    """Relative error of stored adjoints against autograd's from those one step later; rows used, left out.

    The total adjoint of a state at t is what step t+1 sends back to it, what the loss adds and, for a state
    that others of the same step are computed from, what these send back; the last of them is checked at T.
    """
    import torch

    names = list(rows.states)
    shift = rows.powers[1:] - rows.powers[:-1]
    first = np.clip(shift, 0, 900)  # scale up before the step, so that tiny slopes do not underflow
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        bars = {name: rows.flat(np.ldexp(a[1:], first[..., None])) for name, a in rows.totals.items()}
        old = {name: rows.flat(a[:-1]).requires_grad_() for name, a in rows.states.items()}
        now = step(rows.trace.experiment.cell, rows.moment(old, cut=True))
        value = torch.stack([(now.new[name] * bars[name]).sum() for name in names]).sum()
        sources = [*(old[name] for name in names), *(now.leaves[name] for name in names)]
        found = torch.autograd.grad(value, sources, allow_unused=True, materialize_grads=True)
        back, within = found[: len(names)], found[len(names) :]
        rest = np.clip(shift - first, -4000, 4000)[..., None]
        expected = {name: np.zeros_like(a) for name, a in rows.totals.items()}
        for k, name in enumerate(names):
            expected[name][:-1] = np.ldexp(rows.folded(back[k]), rest)
            expected[name][1:] += np.ldexp(rows.folded(within[k]), -first[..., None])
        expected["h"] += rows.injected
        largest = np.max([np.abs(a).max(axis=2) for a in (*expected.values(), *rows.totals.values())], axis=0)
        power = -np.frexp(np.where(np.isfinite(largest), largest, 1))[1][..., None]
        expected = {name: np.ldexp(a, power) for name, a in expected.items()}
        reference = _norms(*expected.values())
        wrong = _norms(*(a - np.ldexp(rows.totals[name], power) for name, a in expected.items()))
        errors = np.where(wrong == 0, 0.0, wrong / reference)
    errors[np.isnan(errors)] = np.inf  # the engine's number is none
    out = ~np.isfinite(reference)
    out[:-1] |= (reference == 0)[:-1] & (wrong > 0)[:-1] & (shift > 900)  # slopes that autograd takes for 0
    out[:-1] |= _at_kink(rows, now)
    for array in rows.states.values():
        out[:-1] |= ~np.isfinite(array[1:]).all(axis=2)  # the run itself left the range of its float type
    errors[out] = np.nan
    left_out = int(out[:-1].sum())
    compared = out[:-1].size - left_out
    return _worst(rows, errors) if compared else None, compared, left_out


def _at_kink(rows: Rows, now: Moment) -> np.ndarray:
    """[T, samples] True where rounding decides on which side of a kink a unit is."""
    near = np.zeros((rows.steps, len(rows.samples)), bool)
    if not now.kinks:
        return near
    sizes = np.abs(rows.states["h"][:-1]).max(axis=2, keepdims=True)
    for distance, place in now.kinks:
        a = np.abs(rows.folded(distance))
        near |= ((a > 0) & (a < 1e-13 * (place + sizes))).any(axis=2)
    return near


def end_to_end(rows: Rows, max_work: float, tolerance: float) -> tuple[Worst | None, str]:
    """Largest difference in decades from autograd through the whole sequence, or None and the reason."""
    work = rows.steps * (LOOP_COST + 2 * rows.weights.w_hh.numel())
    if work > max_work:
        return None, f"a loop over {rows.steps} steps was too expensive"
    single, count = rows.trace.experiment.dtype == "float32", min(4, len(rows.samples))
    with np.errstate(over="ignore", under="ignore"):
        stored = np.ldexp(rows.states["h"][:, :count], rows.carried[:, :count, None])
    values, truth = _through_time(rows, count)
    sizes = np.maximum(np.abs(values).max(axis=2), 1e-300)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        drift = float((np.abs(values - stored).max(axis=2) / sizes).max())
    if not np.isfinite(drift):
        return None, "the states leave the range of float64"
    if drift > (1e-3 if single else 1e-8):
        return None, f"the dynamics are chaotic: two forward passes drift apart by {power_of_ten(drift)}"
    ours = gradient_norms(rows.trace)[:, rows.samples[:count]]
    errors = np.abs(ours - truth)
    errors[~np.isnan(truth) & np.isnan(ours)] = np.inf  # the engine's number is none
    worst = _worst(rows, errors)
    if worst is None:
        return None, "autograd's own gradients leave the range of float64"
    if worst.error > tolerance:
        _, nudged = _through_time(rows, count, 4 * float(np.finfo(rows.trace.experiment.dtype).eps))
        moved = np.nanmax(np.append(np.abs(nudged - truth), 0.0))
        if moved > worst.error / 10:
            return None, f"rounding of the states alone moves the gradients by {power_of_ten(moved)} decades"
    return worst, ""


def _through_time(rows: Rows, count: int, nudge: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """h [T+1, samples, H] and log10 ‖∂L/∂h_t‖ [T+1, samples] by autograd.

    NaN outside of its range, and where h lies so far below another state of its step that the run's float
    type has no digits for it. With a ``nudge`` the states of every step are multiplied by 1 ± nudge, as
    rounding would do.
    """
    import torch

    trace, signs = rows.trace, np.random.default_rng(0)
    limits = np.finfo(trace.experiment.dtype)
    with np.errstate(over="ignore", under="ignore"):
        start = {
            name: np.ldexp(a[0, :count], rows.carried[0, :count, None]) for name, a in rows.states.items()
        }
    given = rows.weights.from_input(torch.from_numpy(np.ascontiguousarray(rows.inputs[:, :count])))
    states = {name: torch.from_numpy(a.copy()).requires_grad_() for name, a in start.items()}
    path = [states]
    for t in range(rows.steps):
        states = step(trace.experiment.cell, rows.moment_at(t, given[t], states)).new
        if nudge:
            for name, a in states.items():
                states[name] = a * torch.from_numpy(1 + nudge * signs.choice((-1.0, 1.0), tuple(a.shape)))
        path.append(states)
    readout = torch.from_numpy(trace.readout)
    loss = sum((w * path[t]["h"] @ readout).sum() for t, w in enumerate(trace.loss_weights) if w != 0)
    values = torch.stack([now["h"].detach() for now in path]).numpy()
    norms = np.full(values.shape[:2], np.nan)
    if not isinstance(loss, torch.Tensor):
        return values, norms
    names = list(rows.states)
    every = [now[name] for name in names for now in path]
    found = torch.autograd.grad(loss, every, allow_unused=True, materialize_grads=True)
    grads = torch.stack(found).reshape(len(names), len(path), count, -1)
    largest = grads.abs().amax(dim=3)
    h = names.index("h")
    scale = largest[h].clamp(min=1e-300)
    truth = (scale * (grads[h] / scale[..., None]).norm(dim=2)).numpy()
    beside = largest.amax(dim=0).numpy() * float(limits.tiny / limits.eps)
    usable = (truth > 1e-290) & (truth < 1e290) & (truth > beside)
    norms[usable] = np.log10(truth[usable])
    return values, norms


def difference_error(rows: Rows) -> tuple[Worst | None, int]:
    """Largest relative error against central differences along the adjoint, and how many rows do not suit."""
    import torch

    shift = np.clip(rows.powers[:-1] - rows.powers[1:], -900, 900)[..., None]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        before = {"h": rows.totals["h"][:-1] - rows.injected[:-1]} | rows.direct()
        after = {"h": rows.totals["h"][1:]}
        for name in before:
            if name != "h":
                after[name] = np.zeros_like(before[name])
                after[name][:-1] = before[name][1:]
        pulled, sent = _norms(*before.values()), _norms(*after.values())
        ratio = np.ldexp(pulled, shift[..., 0]) / sent
        suited = np.isfinite(ratio) & (ratio > FLAT) & (ratio < 1 / FLAT**2)
        suited &= pulled > 1e-6 * _norms(rows.totals["h"][:-1])  # else lost when the loss was added
        if not suited.any():
            return None, suited.size
        u = {name: a / pulled[..., None] for name, a in before.items()}
    sizes = np.max([np.abs(a[:-1]).max(axis=2) for a in rows.states.values()], axis=0)
    if not rows.trace.experiment.cell.homogeneous:
        suited &= sizes <= LARGE
    epsilon = (STEP_SIZE * np.maximum(1, sizes))[..., None]
    ends = []
    with torch.no_grad(), np.errstate(invalid="ignore"):
        for sign in (1, -1):
            moved = {name: rows.flat(a[:-1] + sign * epsilon * u[name]) for name, a in rows.states.items()}
            ends.append(step(rows.trace.experiment.cell, rows.moment(moved)))
        for (up, _), (down, _) in zip(ends[0].kinks, ends[1].kinks, strict=True):
            suited &= rows.folded((up > 0) == (down > 0)).all(axis=2)
        change = sum((rows.folded(ends[0].new[n] - ends[1].new[n]) * after[n]).sum(axis=2) for n in after)
        found = change / (2 * epsilon[..., 0] * sent)
        errors = np.where(suited, np.abs(found - ratio) / ratio, np.nan)
    return _worst(rows, errors), int((~suited).sum())


def power_of_ten(value: float) -> str:
    """3·10⁻¹⁶."""
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return "beyond all bounds"
    digit, exponent = f"{value:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit}·10{raised}"
