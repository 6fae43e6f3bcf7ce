"""Histogram of activations with the saturated and the dead part coloured and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, VERMILLION, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

Kind = Literal["tanh", "sigmoid", "relu", "linear"]
ACTIVATION_TRACES = {"working": 0, "saturated": 1}
BINS = 40
LINEAR_LIMIT = 1e4  # beyond it log10 |h| is binned
_HUGE = 1e300
_LN2 = float(np.log10(2))
SATURATED = {"tanh": 0.95, "sigmoid": 0.95}
"""|tanh| above 0.95 (its slope is below a tenth of its largest); a gate below 0.05 or above 0.95."""


@dataclass(frozen=True)
class Counts:
    """What the histogram shows: bin edges, counts, which bins count as saturated, and the words for it."""

    edges: np.ndarray
    counts: np.ndarray
    saturated: np.ndarray
    share: float
    dead: int
    units: int
    not_finite: int
    logarithmic: bool = False


def count(values: np.ndarray, kind: Kind = "tanh", exponents: np.ndarray | None = None) -> Counts:
    """Bin activations [..., H]; a unit is dead when it is 0 (ReLU) at every step and in every sample.

    ``exponents`` [...] are powers of two that multiply ``values``.
    """
    values = np.asarray(values)
    units = values.shape[-1]
    flat = values.ravel()
    good = np.isfinite(flat)
    mantissas = flat if good.all() else flat[good]
    missing = flat.size - mantissas.size
    finite, powers = mantissas, None
    if exponents is not None and np.any(exponents):
        powers = np.broadcast_to(np.asarray(exponents, dtype=np.int64)[..., None], values.shape).ravel()[good]
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(mantissas.astype(np.float64), powers)
        finite = np.clip(scaled, -_HUGE, _HUGE)
    if kind in ("tanh", "sigmoid"):
        low = -1.0 if kind == "tanh" else 0.0
        edges = np.linspace(low, 1.0, BINS + 1)
        centre, far = (low + 1) / 2, SATURATED[kind] - (low + 1) / 2
        saturated = np.abs((edges[:-1] + edges[1:]) / 2 - centre) > far
        counts = _histogram(finite, low, 1.0)
        share = float(counts[saturated].sum() / max(finite.size, 1))
        return Counts(edges, counts, saturated, share, 0, units, missing)
    zeros = flat.size - int(np.count_nonzero(flat))
    dead = units - int(np.count_nonzero(values.reshape(-1, units).any(axis=0)))
    high = _reach(finite)
    logarithmic = high > LINEAR_LIMIT
    if logarithmic:
        some = mantissas != 0
        finite = np.log10(np.abs(mantissas[some]).astype(np.float64))
        if powers is not None:
            finite = finite + powers[some] * _LN2
        low, high = min(0.0, float(np.floor(finite.min()))), float(np.ceil(finite.max()))
    else:
        low = 0.0 if kind == "relu" else -high
    edges, counts = np.linspace(low, high, BINS + 1), _histogram(finite, low, high)
    if kind == "linear":
        return Counts(edges, counts, np.zeros(BINS, bool), 0.0, 0, units, missing, logarithmic)
    # The exact zeros of a ReLU get a bar of their own, left of all others.
    if not logarithmic:
        counts[0] -= zeros
    edges = np.concatenate([[2 * edges[0] - edges[1]], edges])
    counts = np.concatenate([[zeros], counts])
    share = zeros / max(flat.size, 1)
    return Counts(edges, counts, np.arange(BINS + 1) == 0, share, dead, units, missing, logarithmic)


def _histogram(finite: np.ndarray, low: float, high: float) -> np.ndarray:
    """Counts in ``BINS`` equal bins; the outermost two take what lies beyond."""
    scaled = np.clip(finite, low, high)
    scaled -= low
    scaled *= BINS / (high - low)
    np.minimum(scaled, BINS - 1, out=scaled)
    return np.bincount(scaled.astype(np.intp), minlength=BINS)


def _reach(finite: np.ndarray) -> float:
    """A round number that covers nearly all values: the outermost bin takes the rest."""
    if not finite.size:
        return 1.0
    sizes = np.abs(finite[:: max(1, finite.size // 5000)])
    top = max(float(np.quantile(sizes, 0.99)), 1e-6)
    exponent = 10.0 ** float(np.floor(np.log10(top)))
    return float(next((m * exponent for m in (1, 2, 5) if m * exponent >= top), 9.9 * exponent))


def sentences(counts: Counts, kind: Kind) -> list[str]:
    """What is written into the figure."""
    said = []
    if kind in ("tanh", "sigmoid"):
        said.append(f"{100 * counts.share:.3g} % saturated")
    if kind == "relu":
        said += [f"{100 * counts.share:.3g} % exactly 0", f"{counts.dead} of {counts.units} units dead"]
    if counts.not_finite:
        said.append(f"{counts.not_finite} not finite")
    return said


def activations(
    values: np.ndarray,
    kind: Kind = "tanh",
    *,
    name: str = "h",
    exponents: np.ndarray | None = None,
    extra: Sequence[str] = (),
) -> Figure:
    """Histogram of activations [..., H]; the coloured part passes no gradient.

    Args:
        values: states or gate values, or mantissas when ``exponents`` are given.
        kind: which function made them: ``tanh``, ``sigmoid``, ``relu`` or ``linear``.
        name: what the axis says.
        exponents: powers of two that multiply ``values``, for all units alike: [T, B] for values [T, B, H].
        extra: further sentences to be written under the counts.
    """
    counts = count(values, kind, exponents)
    lines = [*sentences(counts, kind), *extra]
    shown = f"log₁₀|{name}|" if counts.logarithmic else name
    middle = (counts.edges[:-1] + counts.edges[1:]) / 2
    width = float(counts.edges[1] - counts.edges[0])
    share = counts.counts / max(int(counts.counts.sum()), 1) * 100
    data = []
    for label, mask, color in (
        ("working", ~counts.saturated, BLUE),
        ("off" if kind == "relu" else "saturated", counts.saturated, VERMILLION),
    ):
        bar = {"type": "bar", "name": label, "x": middle, "y": np.where(mask, share, 0.0), "width": width}
        hover = f"{shown} ≈ %{{x:.3g}}: %{{y:.3g}} %<extra></extra>"
        data.append(bar | {"marker": {"color": color, "line": {"width": 0}}, "hovertemplate": hover})
    top = float(share.max(initial=0))
    high = next(step for step in (5, 10, 20, 40, 60, 80, 100) if step >= min(top, 100))
    said = "<br>".join(lines)
    side: Figure = {
        "paper": True,
        "xanchor": "center",
        "yanchor": "bottom",
        "color": VERMILLION if share[counts.saturated].any() else style.MUTED,
    }
    room = 0.03 * float(counts.edges[-1] - counts.edges[0])
    layout = style.layout(
        f"activations:{kind}:{name}",
        meta={"x": f"log10 |{name}|" if counts.logarithmic else name, "y": "percent of values in the bin"},
        barmode="overlay",
        bargap=0,
        xaxis=style.axis(shown, counts.edges[0] - room, counts.edges[-1] + room, nticks=5, showgrid=False),
        yaxis=style.axis("% of values", 0, 1.04 * high, nticks=5),
        annotations=[style.note(said, 0.5, 1.0, **side)] if said else [],
        margin=style.MARGIN | {"t": 12 + 18 * max(1, len(lines))},
    )
    return {"data": data, "layout": layout}


def activations_alt(
    values: np.ndarray,
    kind: Kind = "tanh",
    *,
    name: str = "h",
    exponents: np.ndarray | None = None,
    extra: Sequence[str] = (),
) -> str:
    """One sentence with the numbers of ``activations``."""
    said = ", ".join([*(sentences(count(values, kind, exponents), kind) or ["no saturation"]), *extra])
    return f"Histogram of {np.size(values)} values of {name}: {said}."


def plot_activations(trace: Trace, gate: str | None = None, *, dark: bool = False) -> go.Figure:
    """Histogram of the hidden states of a trace, or of one gate."""
    if gate is None:
        kind: Kind = getattr(trace.experiment.cell, "activation", "tanh")
        values, exponents = np.moveaxis(trace.forward.states["h"][1:], 1, 2), trace.forward.exponents
        powers = None if exponents is None else exponents[1:]
        return style.themed(activations(values, _fitting(values, kind), exponents=powers), dark)
    usual: Kind = "tanh" if gate in ("cell", "new", "candidate") else "sigmoid"
    values = trace.gates[gate]
    return style.themed(activations(values, _fitting(values, usual), name=gate), dark)


def _fitting(values: np.ndarray, usual: Kind) -> Kind:
    """``usual``, or ``linear`` where values lie outside its range, as those of a ReLU gate do."""
    low = {"tanh": -1.0, "sigmoid": 0.0}.get(usual, -np.inf)
    high = 1.0 if usual in ("tanh", "sigmoid") else np.inf
    finite = values[np.isfinite(values)]
    return usual if finite.min(initial=low) >= low and finite.max(initial=low) <= high else "linear"
