"""The figures of the gate laboratory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer import figures
from explorer.app.gate_measured import GatesMeasured, gates_of, lanes_of
from explorer.app.panel import PanelFigure
from explorer.app.picture import Drawn, gate_of, later_figure, name_zeros, panel_figure
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures import Ghost
from explorer.figures.gradient import MAX_GHOSTS
from explorer.figures.held_regions import Held, spans
from explorer.figures.states import sample_input
from explorer.figures.style import LABELS, Figure
from explorer.figures.unit import unit_arrays
from explorer.measures import gradient_norms
from explorer.measures.keeping import added_bias
from explorer.trace import Trace


def gate_figures(trace: Trace, before: Trace, pinned: Sequence[Ghost], view: View) -> list[PanelFigure]:
    """All figures in reading order; ``before`` is the run without any held gate."""
    experiment, sample = trace.experiment, min(view.sample, trace.experiment.batch_size - 1)
    held = {gate: where[:, :, 0] for gate, (where, _) in trace.forward.conditions.held.items()}
    unit = unit_of(experiment, view)
    norms = _norms(trace)
    maps = len(trace.gates) + len(trace.states) + (sample_input(trace, sample)[0] is not None)

    def found() -> GatesMeasured:
        return gates_of(experiment, sample)

    def free() -> GatesMeasured:
        return gates_of(before.experiment, sample)

    return [
        panel_figure(
            experiment,
            "held_gradient",
            _gradient(trace, norms, _ghosts(before, pinned, bool(held)), held),
            figures.gradient_alt(norms["h"], norms.get("c")),
            span=7,
            time_axis=True,
        ),
        panel_figure(
            experiment, "lanes", *_lanes(trace, before if held else None, sample), span=5, time_axis=True
        ),
        later_figure(
            experiment,
            "gate_maps",
            lambda: _maps(trace, held, sample, unit),
            span=8,
            height=100 + 84 * maps,
            time_axis=True,
        ),
        later_figure(
            experiment,
            "unit",
            lambda: _unit(trace, held, sample, unit),
            span=4,
            height=600,
            time_axis=True,
            suffix=f" {unit}",
        ),
        later_figure(experiment, "lane_shares", lambda: _shares(found(), experiment), span=6, time_axis=True),
        _distribution(trace, held, sample, series_of(experiment, view)),
        later_figure(
            experiment,
            "directions",
            lambda: _directions(norms["h"][:-1, sample], found()),
            span=6,
            time_axis=True,
        ),
        later_figure(experiment, "forget_half_life", lambda: _half_life(experiment, found(), free()), span=6),
    ]


def _norms(trace: Trace) -> dict[str, np.ndarray]:
    return {state: gradient_norms(trace, state) for state in trace.experiment.cell.states}


def unit_of(experiment: Experiment, view: View) -> int:
    """The chosen unit, or the last one of a smaller network."""
    return min(view.unit, experiment.hidden_size - 1)


def series_of(experiment: Experiment, view: View) -> str:
    """The gate or state whose distribution is drawn."""
    return view.gate if view.gate in experiment.cell.states else gate_of(experiment, view)


def _ghosts(before: Trace, pinned: Sequence[Ghost], held: bool) -> list[Ghost]:
    """The curves without holds, then as many pinned ones as can still be told apart."""
    free = [Ghost(f"{state} without holds", norms) for state, norms in reversed(_norms(before).items())]
    return [*(free if held else []), *pinned][:MAX_GHOSTS]


def _gradient(trace: Trace, norms: dict[str, np.ndarray], ghosts: Sequence[Ghost], held: Held) -> Figure:
    figure = figures.gradient(
        norms["h"],
        cell_decades=norms.get("c"),
        ghosts=ghosts,
        loss_steps=np.flatnonzero(trace.loss_weights),
    )
    name_zeros(figure, norms)
    figure["layout"]["shapes"] += spans(held)
    return figure


def _lanes(trace: Trace, before: Trace | None, sample: int) -> Drawn:
    found = lanes_of(trace.experiment, sample)
    if found is None:
        said = "This cell has no direct path: every gradient passes a matrix."
        return figures.message(said), said
    free = None if before is None else lanes_of(before.experiment, sample)
    return figures.lanes(found, trace.experiment.hidden_size, free), figures.lanes_alt(found)


def _shares(found: GatesMeasured, experiment: Experiment) -> Drawn:
    states = experiment.cell.states
    drawn = figures.lane_shares(found.shares, found.sizes, states)
    return drawn, figures.lane_shares_alt(found.shares, states)


def _directions(along: np.ndarray, found: GatesMeasured) -> Drawn:
    return figures.directions(along, found.below), figures.directions_alt(along, found.below)


def _maps(trace: Trace, held: Held, sample: int, unit: int) -> Drawn:
    gates = {name: values[:, sample] for name, values in trace.gates.items()}
    states = {name: values[:, sample] for name, values in trace.states.items()}
    inputs, kind, characters = sample_input(trace, sample)
    drawn = figures.gate_maps(gates, states, inputs, kind=kind, characters=characters, held=held, unit=unit)
    return drawn, figures.gate_maps_alt(gates, states)


def _unit(trace: Trace, held: Held, sample: int, unit: int) -> Drawn:
    gates, states, gradients, signs = unit_arrays(trace, unit, sample)
    mine = {gate: mask[:, unit : unit + 1] for gate, mask in held.items()}
    drawn = figures.unit(gates, states, gradients, signs, held=mine)
    return drawn, figures.unit_alt(states, gradients, unit)


def _distribution(trace: Trace, held: Held, sample: int, name: str) -> PanelFigure:
    gate = name in trace.gates
    mine = {name: held[name]} if name in held else None

    def draw() -> Drawn:
        values = (trace.gates if gate else trace.states)[name][:, sample]
        drawn = figures.gate_distribution(values, name, first=int(gate), held=mine)
        return drawn, figures.gate_distribution_alt(values, name)

    suffix = f": {LABELS.get(name, name)}"
    return later_figure(trace.experiment, "gate_distribution", draw, span=6, time_axis=True, suffix=suffix)


def _half_life(experiment: Experiment, found: GatesMeasured, free: GatesMeasured) -> Drawn:
    if found.keeping is None or free.keeping_slot is None:
        said = (
            "The direct path of this cell is no single logistic gate,<br>so no bias alone sets its half-life."
        )
        return figures.message(said), said.replace("<br>", " ")
    slot, sign = free.keeping_slot
    bias = added_bias(experiment, slot)
    mean, life = found.keeping.mean, found.keeping.half_life
    drawn = figures.forget_half_life(
        bias, experiment.num_steps, gate=slot.name, sign=sign, mean=mean, half_life=life
    )
    return drawn, figures.forget_half_life_alt(bias, sign=sign, half_life=life)
