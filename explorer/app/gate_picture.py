"""The figures of the gate laboratory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer import figures
from explorer.app.gate_measured import GatesMeasured
from explorer.app.panel import PanelFigure
from explorer.app.picture import gate_of, name_zeros, panel_figure
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures import Ghost
from explorer.figures.gradient import MAX_GHOSTS
from explorer.figures.held_regions import Held, spans
from explorer.figures.states import sample_input
from explorer.figures.style import LABELS, Figure
from explorer.figures.unit import unit_arrays
from explorer.measures.keeping import added_bias
from explorer.trace import Trace


def gate_figures(
    trace: Trace, found: GatesMeasured, free: GatesMeasured, pinned: Sequence[Ghost], view: View
) -> list[PanelFigure]:
    """All figures in reading order; ``free`` is measured without any held gate."""
    experiment, sample = trace.experiment, min(view.sample, trace.experiment.batch_size - 1)
    held = {gate: where[:, :, 0] for gate, (where, _) in trace.forward.conditions.held.items()}
    along = found.norms["h"][:-1, sample]
    return [
        panel_figure(
            experiment,
            "held_gradient",
            _gradient(trace, found, _ghosts(free, pinned, bool(held)), held),
            figures.gradient_alt(found.norms["h"], found.norms.get("c")),
            span=7,
            time_axis=True,
        ),
        panel_figure(
            experiment,
            "lanes",
            *_lanes(found, free if held else None, experiment.hidden_size),
            span=5,
            time_axis=found.lanes is not None,
        ),
        _maps(trace, held, sample, unit_of(experiment, view)),
        _unit(trace, held, sample, unit_of(experiment, view)),
        panel_figure(
            experiment,
            "lane_shares",
            figures.lane_shares(found.shares, found.sizes, experiment.cell.states),
            figures.lane_shares_alt(found.shares, experiment.cell.states),
            span=6,
            time_axis=True,
        ),
        _distribution(trace, held, sample, series_of(experiment, view)),
        panel_figure(
            experiment,
            "directions",
            figures.directions(along, found.below),
            figures.directions_alt(along, found.below),
            span=6,
            time_axis=True,
        ),
        panel_figure(experiment, "forget_half_life", *_half_life(experiment, found, free), span=6),
    ]


def unit_of(experiment: Experiment, view: View) -> int:
    """The chosen unit, or the last one of a smaller network."""
    return min(view.unit, experiment.hidden_size - 1)


def series_of(experiment: Experiment, view: View) -> str:
    """The gate or state whose distribution is drawn."""
    return view.gate if view.gate in experiment.cell.states else gate_of(experiment, view)


def _ghosts(free: GatesMeasured, pinned: Sequence[Ghost], held: bool) -> list[Ghost]:
    """The curves without holds, then as many pinned ones as can still be told apart."""
    before = [Ghost(f"{state} without holds", norms) for state, norms in reversed(free.norms.items())]
    return [*(before if held else []), *pinned][:MAX_GHOSTS]


def _gradient(trace: Trace, found: GatesMeasured, ghosts: Sequence[Ghost], held: Held) -> Figure:
    figure = figures.gradient(
        found.norms["h"],
        cell_decades=found.norms.get("c"),
        ghosts=ghosts,
        loss_steps=np.flatnonzero(trace.loss_weights),
    )
    name_zeros(figure, found.norms)
    figure["layout"]["shapes"] += spans(held)
    return figure


def _lanes(found: GatesMeasured, free: GatesMeasured | None, hidden_size: int) -> tuple[Figure, str]:
    if found.lanes is None:
        said = "This cell has no direct path: every gradient passes a matrix."
        return figures.message(said), said
    before = None if free is None else free.lanes
    return figures.lanes(found.lanes, hidden_size, before), figures.lanes_alt(found.lanes)


def _maps(trace: Trace, held: Held, sample: int, unit: int) -> PanelFigure:
    gates = {name: values[:, sample] for name, values in trace.gates.items()}
    states = {name: values[:, sample] for name, values in trace.states.items()}
    inputs, kind, characters = sample_input(trace, sample)
    drawn = figures.gate_maps(gates, states, inputs, kind=kind, characters=characters, held=held, unit=unit)
    said = figures.gate_maps_alt(gates, states)
    return panel_figure(
        trace.experiment,
        "gate_maps",
        drawn,
        said,
        span=8,
        height=100 + 84 * len(drawn["data"]),
        time_axis=True,
    )


def _unit(trace: Trace, held: Held, sample: int, unit: int) -> PanelFigure:
    gates, states, gradients, signs = unit_arrays(trace, unit, sample)
    mine = {gate: mask[:, unit : unit + 1] for gate, mask in held.items()}
    drawn = figures.unit(gates, states, gradients, signs, held=mine)
    said = figures.unit_alt(states, gradients, unit)
    return panel_figure(
        trace.experiment, "unit", drawn, said, span=4, height=600, time_axis=True, suffix=f" {unit}"
    )


def _distribution(trace: Trace, held: Held, sample: int, name: str) -> PanelFigure:
    gate = name in trace.gates
    values = (trace.gates if gate else trace.states)[name][:, sample]
    mine = {name: held[name]} if name in held else None
    return panel_figure(
        trace.experiment,
        "gate_distribution",
        figures.gate_distribution(values, name, first=int(gate), held=mine),
        figures.gate_distribution_alt(values, name),
        span=6,
        time_axis=True,
        suffix=f": {LABELS.get(name, name)}",
    )


def _half_life(experiment: Experiment, found: GatesMeasured, free: GatesMeasured) -> tuple[Figure, str]:
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
