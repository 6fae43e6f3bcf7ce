"""The page's figures for one experiment, and the curves of the whole range of a knob."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from explorer import figures
from explorer.app import cache
from explorer.app.measured import Measured, Spectra
from explorer.app.panel import PanelFigure
from explorer.app.view import View
from explorer.cells import GRU, RNN
from explorer.cells.long_memory import LongMemory
from explorer.experiment import Experiment
from explorer.figures import Ghost
from explorer.figures.activations import Kind
from explorer.figures.style import Figure
from explorer.lessons.explanations import explanation
from explorer.measures import gate_sentences
from explorer.sweep import knobs
from explorer.trace import Trace

Span = tuple[float, float]
Drawn = tuple[Figure, str]
"""A figure and a sentence on what can be read off it."""
_KINDS: dict[str, Kind] = {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu"}
_WORK = 4e9  # multiplications that a knob's range should cost: about half a second
_MOST_WORK = 2e10  # and may cost: beyond, the slider stays off


def panel_figures(
    trace: Trace, found: Measured, ghosts: Sequence[Ghost], view: View, span: Span | None
) -> list[PanelFigure]:
    """All figures of the page, in reading order; ``span`` is the y range of the gradient figure if known."""
    experiment = trace.experiment
    sample = min(view.sample, experiment.batch_size - 1)
    gate = gate_of(experiment, view)
    block, owner = matrix_of(experiment, gate)
    roots, sigma_max = cache.eigenvalues(experiment, block)
    scale = experiment.weight_scale
    book, direct = found.ledger, found.ledger.keeping is not None
    parts = [
        panel_figure(
            experiment,
            "gradient",
            _gradient(trace, found, ghosts, view, span),
            figures.gradient_alt(found.norms["h"], found.norms.get("c")),
            span=8,
            height=340,
            time_axis=True,
        ),
        panel_figure(
            experiment,
            "eigenvalues",
            figures.eigenvalues(scale * roots, scale * sigma_max),
            figures.eigenvalues_alt(scale * roots, scale * sigma_max),
            height=340,
            suffix=f": {owner} gate" if experiment.cell.blocks > 1 else "",
        ),
        later_figure(
            experiment,
            "ledger",
            lambda: (
                figures.ledger(book.slope, book.matrix, book.loss, norms=book.norms, gated=direct),
                figures.ledger_alt(book.slope, book.matrix, gated=direct),
            ),
            time_axis=True,
        ),
        later_figure(
            experiment,
            "spectrum",
            lambda: _spectrum(cache.spectra(experiment, sample)),
            time_axis=True,
        ),
        later_figure(
            experiment,
            "weight_gradient",
            lambda: _weight_gradient(cache.spectra(experiment, sample)),
            time_axis=True,
        ),
        later_figure(
            experiment,
            "states",
            lambda: (
                figures.trace_states(trace, sample=sample),
                figures.states_alt(trace.states["h"][:, sample]),
            ),
            span=4 if gate else 8,
            time_axis=True,
        ),
    ]
    if gate:
        parts.append(later_figure(experiment, "gates", lambda: _gates(trace, sample, gate), time_axis=True))
    return [*parts, later_figure(experiment, "activations", lambda: _activations(trace))]


def panel_figure(
    experiment: Experiment,
    name: str,
    figure: Figure,
    numbers: str,
    *,
    span: int = 4,
    height: int = 300,
    time_axis: bool = False,
    suffix: str = "",
    fill: float = 0,
    wide: int = 0,
    link: Mapping[str, str] | None = None,
) -> PanelFigure:
    """A figure with its texts; ``numbers`` is a sentence on what can be read off it now."""
    text = explanation(name)
    curves = [f"{curve.replace('_', ' ')}: {said}" for curve, said in text.curves.items()]
    return PanelFigure(
        name,
        text.title + suffix,
        "\n".join([text.explain, *curves]),
        figure,
        span=span,
        height=height,
        time_axis=time_axis,
        alt=f"{text.alt_text(experiment)} {numbers}",
        fill=fill,
        wide=wide,
        link=link,
    )


def later_figure(experiment: Experiment, name: str, draw: Callable[[], Drawn], **place: Any) -> PanelFigure:
    """A figure that follows the first ones; ``draw`` gives it and its sentence. ``place`` as above."""
    empty = panel_figure(experiment, name, {}, "", **place)

    def drawn() -> Drawn:
        figure, numbers = draw()
        return figure, empty.alt + numbers

    return replace(empty, figure=drawn)


def _gradient(
    trace: Trace, found: Measured, ghosts: Sequence[Ghost], view: View, span: Span | None
) -> Figure:
    own = figures.gradient_range(found.norms["h"], found.norms.get("c"), ghosts=ghosts)
    fits = span is not None and span[0] <= own[0] and own[1] <= span[1]
    figure = figures.gradient(
        found.norms["h"],
        cell_decades=found.norms.get("c"),
        bound=found.bound,
        closed_form=None if found.theory is None else found.theory[0],
        closed_form_label="" if found.theory is None else found.theory[1],
        ghosts=ghosts,
        samples=view.samples,
        loss_steps=np.flatnonzero(trace.loss_weights),
        span=span if fits else None,
    )
    name_zeros(figure, found.norms)
    for name, curve in (("bound", found.bound), ("closed_form", found.theory and found.theory[0])):
        if curve is not None:
            _name_zeros(figure["data"][figures.TRACES[name]], curve == -np.inf)
    return figure


def name_zeros(figure: Figure, norms: Mapping[str, np.ndarray]) -> None:
    """Name the exact zeros in the curves of h and c of a gradient figure; in place."""
    for state, name in (("h", "median"), ("c", "median_c")):
        if state in norms:
            zero = (norms[state] == -np.inf).all(axis=1)
            _name_zeros(figure["data"][figures.TRACES[name]], zero)


def _name_zeros(trace: Figure, zero: np.ndarray) -> None:
    """A gap in a curve that is an exact 0 travels as −inf: drawn as a gap, but named in read-out and CSV."""
    trace["y"] = np.where(zero, -np.inf, trace["y"])
    if zero.any():
        trace.pop("visible", None)  # a curve that is 0 throughout is named in the read-out too


def _weight_gradient(found: Spectra) -> Drawn:
    figure = figures.weight_gradient(found.weight_parts, found.weight_total, found.largest)
    _name_zeros(figure["data"][0], found.weight_parts == -np.inf)
    return figure, figures.weight_gradient_alt(found.weight_parts, found.weight_total)


def _spectrum(found: Spectra) -> Drawn:
    """Figure and sentence; large networks get the sentence only."""
    if found.spectrum is None:
        said = "Too many units and steps to compute live;<br>ex.jacobian_singular_values(trace) will do it."
        return figures.message(said), said.replace("<br>", " ")
    return figures.spectrum(found.spectrum, found.steps), figures.spectrum_alt(found.spectrum, found.steps)


def _gates(trace: Trace, sample: int, gate: str) -> Drawn:
    values = {name: array[:, sample] for name, array in trace.gates.items()}
    return figures.gates(values, gate), figures.gates_alt(values)


def _activations(trace: Trace) -> Drawn:
    """What the cell squashes last (tanh c, the candidate, or h), and in words how far its gates are shut."""
    exponents = trace.forward.exponents
    values, name, function = _squashed(trace)
    # What has no clear end, such as softsign, is drawn without a saturated part.
    kind = _KINDS.get(function, "linear")
    powers = None if exponents is None else exponents[1:]
    said = gate_sentences(trace)
    figure = figures.activations(values, kind, name=name, exponents=powers, extra=said)
    return figure, figures.activations_alt(values, kind, name=name, exponents=powers, extra=said)


def _squashed(trace: Trace) -> tuple[np.ndarray, str, str]:
    """(values [T, B, H], their name, the function that made them)."""
    cell = trace.experiment.cell
    if isinstance(cell, LongMemory):
        shown = cell.functions["c"]
        values = shown.function(trace.states["c"][1:])
        return values, "c" if shown.name == "linear" else f"{shown.label} c", shown.name
    if "new" in cell.gates:
        function = cell.functions["new"].name if isinstance(cell, GRU) else "tanh"
        return trace.gates["new"], "candidate n", function
    h = np.moveaxis(trace.forward.states["h"][1:], 1, 2)
    return h, "h", cell.activation if isinstance(cell, RNN) else "linear"


def gate_of(experiment: Experiment, view: View) -> str:
    """The chosen gate, or the one that keeps the memory; "" for cells without gates."""
    gates = experiment.cell.gates
    usual = next((name for name in ("forget", "update", *gates) if name in gates), "")
    return view.gate if view.gate in gates else usual


def matrix_of(experiment: Experiment, gate: str) -> tuple[int, str]:
    """(block of W_hh, its gate); the input gate's for f = 1 − i and where a gate is missing."""
    wiring = experiment.cell.wiring()
    for name in (gate, "input"):
        for slot in wiring:
            if slot.name.startswith(name):
                return slot.block, name
    return wiring[0].block, wiring[0].name


def knob_values(experiment: Experiment, knob: str) -> np.ndarray:
    """The knob's whole range, as finely as a fraction of a second allows; empty for large networks."""
    low, high = knobs(experiment)[knob]
    size, slots = experiment.hidden_size, len(experiment.cell.wiring())
    work = experiment.num_steps * experiment.batch_size * slots * size * (size + 200)
    if work * 9 > _MOST_WORK:
        return np.empty(0)
    count = int(np.clip(_WORK / work, 9, 81)) // 8 * 8 + 1
    return np.linspace(low, high, count)


def knob_frames(trace: Trace, knob: str, values: np.ndarray, ghosts: Sequence[Ghost]) -> figures.ScrubFrames:
    """What the gradient figure shows for every value of the knob."""
    norms = cache.swept(trace.experiment, knob, values).norms
    return figures.scrub_frames(
        norms["h"],
        norms.get("c"),
        span=figures.scrub_range(norms["h"], ghosts),
        loss_steps=np.flatnonzero(trace.loss_weights),
    )


def knob_captions(trace: Trace, knob: str, values: np.ndarray) -> list[str]:
    """A few words on the gradient for every value of the knob."""
    norms = cache.swept(trace.experiment, knob, values).norms["h"]
    return [figures.caption(np.median(frame, axis=1), trace.num_steps) for frame in norms]


def eigenvalue_frames(experiment: Experiment, view: View) -> dict[str, Any]:
    """Eigenvalues and the circle of σ_max at weight scale 1, which the browser multiplies by the scale."""
    roots, sigma_max = cache.eigenvalues(experiment, matrix_of(experiment, gate_of(experiment, view))[0])
    x, y = figures.eigenvalue_points(roots, sigma_max)
    return {"trace": figures.EIGENVALUE_TRACES["eigenvalues"], "x": x, "y": y}
