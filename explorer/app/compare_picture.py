"""The figures of the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from explorer import figures
from explorer.app import cache
from explorer.app.compare_choices import Contender
from explorer.app.compare_measured import clockwork, distances, strands
from explorer.app.panel import PanelFigure
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.cells.clockwork import Clockwork
from explorer.cells.echo import Echo
from explorer.experiment import Experiment
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
    return panel_figure(experiment, "compare_gradient", figure, numbers, span=12, height=320, time_axis=True)


def _name_gaps(figure: Figure, curves: Sequence[Curve]) -> None:
    """A gap that is an exact 0 travels as −inf: drawn as a gap, but named in read-out and CSV."""
    for trace, curve in zip(figure["data"], curves, strict=False):
        trace["y"] = np.where(curve.median == -np.inf, -np.inf, trace["y"])


def _unrolled(drawn: Contender, cursor: int) -> PanelFigure:
    source = "convolution" if getattr(drawn.experiment.network, "front", "none") != "none" else "input"

    def draw() -> Drawn:
        rows, loss = cache.kept(drawn.experiment, strands), drawn.found.loss_weights
        figure = figures.unrolled(rows, loss, cursor=cursor, source=source)
        return figure, figures.unrolled_alt(rows, loss, cursor=cursor)

    rows = sum(map(len, drawn.found.layers))
    suffix = f" · {drawn.architecture.title}"
    return later_figure(
        drawn.experiment, "unrolled", draw, span=12, height=170 + 64 * rows, time_axis=True, suffix=suffix
    )


def _states(contenders: Sequence[Contender]) -> PanelFigure:
    states = {one.architecture.title: one.found.states for one in contenders}
    sizes = {one.architecture.title: one.found.size for one in contenders}
    return later_figure(
        contenders[0].experiment,
        "small_states",
        lambda: (figures.small_states(states, sizes), figures.small_states_alt(states)),
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
    layers, experiment = one.found.layers, one.experiment
    if len(layers) > 1:
        height = 110 + 34 * sum(map(len, layers))
        yield _later(experiment, "layer_grid", lambda: _layer_grid(one), height)
    if len(layers[-1]) > 1:
        yield _later(experiment, "v_shape", lambda: _v_shape(one))
    if isinstance(experiment.cell, Clockwork):
        units = experiment.cell.modules(experiment.hidden_size).values()
        height = 110 + 40 * sum(bool(part.stop > part.start) for part in units)
        yield _later(experiment, "module_map", lambda: _modules(one), height)
    if isinstance(experiment.cell, Echo):
        yield _later(experiment, "echo_distance", lambda: _distances(one))
        yield later_figure(experiment, "memory_curve", lambda: _memory(one), span=6)


def _later(experiment: Experiment, name: str, draw: Callable[[], Drawn], height: int = 300) -> PanelFigure:
    return later_figure(experiment, name, draw, span=6, height=height, time_axis=True)


def _layer_grid(one: Contender) -> Drawn:
    rows, labels, steps = figures.layer_rows(one.found.layers)
    losses = np.flatnonzero(one.found.loss_weights)
    figure = figures.layer_grid(rows, labels, steps=steps, loss_steps=losses)
    return figure, figures.layer_grid_alt(rows, labels)


def _v_shape(one: Contender) -> Drawn:
    forward, backward = one.found.layers[-1]
    figure = figures.v_shape(forward, backward, np.flatnonzero(one.found.loss_weights))
    return figure, figures.v_shape_alt(forward, backward)


def _modules(one: Contender) -> Drawn:
    parts = cache.kept(one.experiment, clockwork)
    figure = figures.module_map(parts.norms, parts.active, parts.periods)
    return figure, figures.module_map_alt(parts.norms, parts.active, parts.periods)


def _distances(one: Contender) -> Drawn:
    driven, undriven = cache.kept(one.experiment, distances)
    curves = [Curve("driven", driven), Curve("undriven", undriven)]
    span = flow_span(*(curve.median for curve in curves))
    figure = figures.overlay(
        curves, subject="distance", title="distance", name="echo_distance", span=span, key=True
    )
    _name_gaps(figure, curves)
    return figure, figures.overlay_alt(curves)


def _memory(one: Contender) -> Drawn:
    memory = cache.kept(one.experiment, memory_capacity)
    figure = figures.memory_curve(memory.delays, memory.capacity, memory.units)
    return figure, figures.memory_curve_alt(memory.delays, memory.capacity, memory.units)
