"""The figures of the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from explorer import figures
from explorer.app import cache
from explorer.app.compare_choices import Contender
from explorer.app.compare_measured import clockwork, distances, strands
from explorer.app.panel import PanelFigure
from explorer.app.picture import panel_figure
from explorer.cells.clockwork import Clockwork
from explorer.cells.echo import Echo
from explorer.figures import Curve
from explorer.figures.flow_colors import flow_span
from explorer.figures.style import Figure
from explorer.measures.reservoir import memory_capacity


def compared_figures(contenders: Sequence[Contender], drawn: Contender, cursor: int) -> list[PanelFigure]:
    """All curves, the drawing of one network, what is special to some, and the states of all."""
    parts = [_curves(contenders), _unrolled(drawn, cursor)]
    for one in contenders:
        parts += [_of(one, part) for part in _special(one)]
    return [*parts, _states(contenders)]


def _curves(contenders: Sequence[Contender]) -> PanelFigure:
    curves = [Curve(one.architecture.title, one.found.norms) for one in contenders]
    losses = np.flatnonzero(contenders[0].found.loss_weights)
    figure = figures.overlay(curves, loss_steps=losses)
    _name_gaps(figure, curves)
    numbers = figures.overlay_alt(curves)
    experiment = contenders[0].experiment
    return panel_figure(experiment, "compare_gradient", figure, numbers, span=12, height=290, time_axis=True)


def _name_gaps(figure: Figure, curves: Sequence[Curve]) -> None:
    """A gap that is an exact 0 travels as −inf: drawn as a gap, but named in read-out and CSV."""
    for trace, curve in zip(figure["data"], curves, strict=False):
        trace["y"] = np.where(curve.median == -np.inf, -np.inf, trace["y"])


def _unrolled(drawn: Contender, cursor: int) -> PanelFigure:
    rows, loss = cache.kept(drawn.experiment, strands), drawn.found.loss_weights
    source = "convolution" if getattr(drawn.experiment.network, "front", "none") != "none" else "input"
    return panel_figure(
        drawn.experiment,
        "unrolled",
        figures.unrolled(rows, loss, cursor=cursor, source=source),
        figures.unrolled_alt(rows, loss, cursor=cursor),
        span=12,
        height=170 + 64 * len(rows),
        time_axis=True,
        suffix=f" · {drawn.architecture.title}",
    )


def _states(contenders: Sequence[Contender]) -> PanelFigure:
    states = {one.architecture.title: one.found.states for one in contenders}
    sizes = {one.architecture.title: one.found.size for one in contenders}
    return panel_figure(
        contenders[0].experiment,
        "small_states",
        figures.small_states(states, sizes),
        figures.small_states_alt(states),
        span=12,
        height=60 + 85 * len(states),
        time_axis=True,
    )


# ---- what only some architectures have ----


def _of(one: Contender, part: PanelFigure) -> PanelFigure:
    """The figure under a name and a title of its own."""
    return replace(
        part, id=f"{part.id}-{one.architecture.name}", title=f"{part.title} · {one.architecture.title}"
    )


def _special(one: Contender) -> Iterator[PanelFigure]:
    """Layer × time, V-shape, module × time, or what a reservoir forgets and remembers."""
    layers, losses = one.found.layers, np.flatnonzero(one.found.loss_weights)
    if len(layers) > 1:
        rows, labels, steps = figures.layer_rows(layers)
        figure = figures.layer_grid(rows, labels, steps=steps, loss_steps=losses)
        numbers = figures.layer_grid_alt(rows, labels)
        height = 110 + 34 * len(rows)
        yield panel_figure(
            one.experiment, "layer_grid", figure, numbers, span=6, height=height, time_axis=True
        )
    if len(layers[-1]) > 1:
        forward, backward = layers[-1]
        figure = figures.v_shape(forward, backward, losses)
        numbers = figures.v_shape_alt(forward, backward)
        yield panel_figure(one.experiment, "v_shape", figure, numbers, span=6, time_axis=True)
    if isinstance(one.experiment.cell, Clockwork):
        yield _modules(one)
    if isinstance(one.experiment.cell, Echo):
        yield from _reservoir(one)


def _modules(one: Contender) -> PanelFigure:
    parts = cache.kept(one.experiment, clockwork)
    figure = figures.module_map(parts.norms, parts.active, parts.periods)
    numbers = figures.module_map_alt(parts.norms, parts.active, parts.periods)
    height = 110 + 40 * len(parts.periods)
    return panel_figure(one.experiment, "module_map", figure, numbers, span=6, height=height, time_axis=True)


def _reservoir(one: Contender) -> Iterator[PanelFigure]:
    driven, undriven = cache.kept(one.experiment, distances)
    curves = [Curve("driven", driven), Curve("undriven", undriven)]
    span = flow_span(*(curve.median for curve in curves))
    figure = figures.overlay(
        curves, subject="distance", title="distance", name="echo_distance", span=span, key=True
    )
    _name_gaps(figure, curves)
    numbers = figures.overlay_alt(curves)
    yield panel_figure(one.experiment, "echo_distance", figure, numbers, span=6, time_axis=True)
    memory = cache.kept(one.experiment, memory_capacity)
    figure = figures.memory_curve(memory.delays, memory.capacity, memory.units)
    numbers = figures.memory_curve_alt(memory.delays, memory.capacity, memory.units)
    yield panel_figure(one.experiment, "memory_curve", figure, numbers, span=6)
