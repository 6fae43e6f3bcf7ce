"""Three comparisons: autograd step by step, autograd end to end, finite differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells import RNN
from explorer.measures.norms import gradient_norms
from explorer.verify.rows import Rows

LOOP_COST = 4e5  # a torch step of the end-to-end loop, in multiplications of a matrix product
FLAT = 1e-2  # finite differences cannot resolve steps that shrink the adjoint further than this
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
    """Relative error of stored adjoints at t−1 against autograd's from those at t; rows used, left out."""
    import torch

    lstm = "c" in rows.states
    shift = rows.powers[1:] - rows.powers[:-1]
    first = np.clip(shift, 0, 900)  # scale up before the step, so that tiny slopes do not underflow
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        bars = {name: rows.flat(np.ldexp(a[1:], first[..., None])) for name, a in rows.totals.items()}
        h = rows.flat(rows.states["h"][:-1]).requires_grad_()
        c = rows.flat(rows.states["c"][:-1]).requires_grad_() if lstm else None
        new_h, new_c, extra = rows.book.step(rows.given(), h, c, rows.scale(), cut=True)
        value = (new_h * bars["h"]).sum()
        if new_c is not None and c is not None:
            value = value + (new_c * bars["c"]).sum()
            found = [rows.folded(g) for g in torch.autograd.grad(value, [h, c, extra])]
        else:
            found = [rows.folded(g) for g in torch.autograd.grad(value, [h])]
        rest = np.clip(shift - first, -4000, 4000)[..., None]
        expected = [np.ldexp(found[0], rest) + rows.injected[:-1]]
        stored = [rows.totals["h"][:-1]]
        if lstm:
            through_h = np.zeros_like(found[2])  # of the same step; an initial h_0 does not depend on c_0
            through_h[1:] = np.ldexp(found[2][:-1], -first[:-1, :, None])
            expected.append(np.ldexp(found[1], rest) + through_h)
            stored.append(rows.totals["c"][:-1])
        largest = np.max([np.abs(a).max(axis=2) for a in (*expected, *stored)], axis=0)
        power = -np.frexp(np.where(np.isfinite(largest), largest, 1))[1][..., None]
        expected = [np.ldexp(a, power) for a in expected]
        reference = _norms(*expected)
        wrong = _norms(*(a - np.ldexp(b, power) for a, b in zip(expected, stored, strict=True)))
        errors = np.where(wrong == 0, 0.0, wrong / reference)
    errors[np.isnan(errors)] = np.inf  # the engine's number is none
    out = ~np.isfinite(reference)
    out |= (reference == 0) & (wrong > 0) & (shift > 900)  # slopes below 1e-308, which autograd takes for 0
    cell = rows.trace.experiment.cell
    if isinstance(cell, RNN) and cell.activation == "relu":
        a = np.abs(rows.folded(extra))
        out |= ((a > 0) & (a < 1e-13 * np.abs(rows.states["h"][:-1]).max(axis=2, keepdims=True))).any(axis=2)
    errors[out] = np.nan
    return _worst(rows, errors), int((~out).sum()), int(out.sum())


def end_to_end(rows: Rows, max_work: float) -> tuple[Worst | None, str]:
    """Largest difference in decades from autograd through the whole sequence, or None and the reason."""
    import torch

    work = rows.steps * (LOOP_COST + 2 * rows.book.w_hh.numel())
    if work > max_work:
        return None, f"a loop over {rows.steps} steps was too expensive"
    trace, count = rows.trace, min(4, len(rows.samples))
    with np.errstate(over="ignore", under="ignore"):
        start = {
            name: np.ldexp(a[0, :count], rows.carried[0, :count, None]) for name, a in rows.states.items()
        }
        stored = np.ldexp(rows.states["h"][:, :count], rows.carried[:, :count, None])
    given = rows.book.from_input(torch.from_numpy(np.ascontiguousarray(rows.inputs[:, :count])))
    h = torch.from_numpy(start["h"].copy()).requires_grad_()
    c = torch.from_numpy(start["c"].copy()) if "c" in start else None
    path = [h]
    for t in range(rows.steps):
        h, c, _ = rows.book.step(given[t], h, c)
        path.append(h)
    readout = torch.from_numpy(trace.readout)
    loss = sum((w * path[t] @ readout).sum() for t, w in enumerate(trace.loss_weights) if w != 0)
    values = torch.stack([p.detach() for p in path]).numpy()
    sizes = np.maximum(np.abs(values).max(axis=2), 1e-300)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        drift = float((np.abs(values - stored).max(axis=2) / sizes).max())
    if not np.isfinite(drift):
        return None, "the states leave the range of float64"
    if drift > (1e-3 if trace.experiment.dtype == "float32" else 1e-8):
        return None, f"the dynamics are chaotic: two forward passes drift apart by {power_of_ten(drift)}"
    grads = torch.autograd.grad(loss, path, allow_unused=True) if isinstance(loss, torch.Tensor) else []
    ours = gradient_norms(trace)[:, rows.samples[:count]]
    errors = np.full(ours.shape, np.nan)
    for t, grad in enumerate(grads):
        if grad is None:
            continue
        largest = grad.abs().amax(dim=1, keepdim=True).clamp(min=1e-300)
        truth = (largest[:, 0] * (grad / largest).norm(dim=1)).numpy()
        usable = (truth > 1e-290) & (truth < 1e290)
        errors[t, usable] = np.abs(ours[t, usable] - np.log10(truth[usable]))
        errors[t, usable & np.isnan(ours[t])] = np.inf  # the engine's number is none
    worst = _worst(rows, errors)
    return worst, "" if worst is not None else "autograd's own gradients leave the range of float64"


def difference_error(rows: Rows) -> tuple[Worst | None, int]:
    """Largest relative error against central differences along the adjoint, and how many rows do not suit."""
    import torch

    shift = np.clip(rows.powers[:-1] - rows.powers[1:], -900, 900)[..., None]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        before = {"h": rows.totals["h"][:-1] - rows.injected[:-1]}
        after = {"h": rows.totals["h"][1:]}
        if "c" in rows.states:
            forget = rows.pick(rows.trace.forward.gates[:, rows.trace.experiment.cell.gates.index("forget")])
            before["c"] = np.ldexp(forget * rows.totals["c"][1:], -shift)
            after["c"] = np.zeros_like(before["c"])
            after["c"][:-1] = before["c"][1:]
        pulled, sent = _norms(*before.values()), _norms(*after.values())
        ratio = np.ldexp(pulled, shift[..., 0]) / sent
        suited = np.isfinite(ratio) & (ratio > FLAT) & (ratio < 1 / FLAT**2)
        suited &= pulled > 1e-6 * _norms(rows.totals["h"][:-1])  # else lost when the loss was added
        if not suited.any():
            return None, suited.size
        u = {name: a / pulled[..., None] for name, a in before.items()}
    sizes = np.max([np.abs(a[:-1]).max(axis=2) for a in rows.states.values()], axis=0)
    epsilon = (STEP_SIZE * np.maximum(1, sizes))[..., None]
    given, scale = rows.given(), rows.scale()
    outcome: list[dict[str, np.ndarray]] = []
    signs = []
    with torch.no_grad(), np.errstate(invalid="ignore"):
        for sign in (1, -1):
            moved = {name: rows.flat(a[:-1] + sign * epsilon * u[name]) for name, a in rows.states.items()}
            new_h, new_c, a = rows.book.step(given, moved["h"], moved.get("c"), scale)
            outcome.append({"h": rows.folded(new_h)} | ({} if new_c is None else {"c": rows.folded(new_c)}))
            signs.append(rows.folded(a) > 0)
        cell = rows.trace.experiment.cell
        if isinstance(cell, RNN) and cell.activation == "relu":
            suited &= (signs[0] == signs[1]).all(axis=2)
        change = sum(((outcome[0][n] - outcome[1][n]) * after[n]).sum(axis=2) for n in outcome[0])
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
