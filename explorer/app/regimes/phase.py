"""Phase diagram: any two settings, one number, coarse at once and finer while one looks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import panel_figure
from explorer.app.sweep_jobs import Job
from explorer.experiment import Experiment
from explorer.figures import Axis, Theory
from explorer.link import bounds_of, field_paths, to_query
from explorer.measures.phase_verdict import phase_sentence, theory_sentence
from explorer.sweep import MEASURES, knobs, sweep_parts
from explorer.theory import chi_grid, mean_field_tolerance
from explorer.trace import TooLarge

KEY = "regimes-phase"
_GROWTH = ("decades_per_step", "lyapunov")  # what χ₁ predicts
_WIDEST = {"hidden_size": (4, 256), "num_steps": (10, 500)}  # beyond, one looks at the clock
_POLL = 0.4  # seconds between two looks at a sweep


def side_bar() -> None:
    """Both axes, the number, its resolution; then the network that is swept."""
    controls.group("phase", "Phase diagram", _choices, opened=True)
    controls.settings("cell", "initializer")


def _choices() -> None:
    experiment, view = state.experiment(), state.view()
    titles = axis_titles(experiment)
    for name, shown in zip(("x_axis", "y_axis"), axis_paths(experiment), strict=True):
        controls.view_menu(name, shown, titles)
    controls.view_control("measure")
    controls.view_control("points")
    controls.view_control("seeds")
    if view.measure == "half_life":
        st.caption("Infinite where the gradient does not shrink; such points stay empty.")


def axis_titles(experiment: Experiment) -> dict[str, str]:
    """Settings that can be an axis, with their names: numbers that change the network and no random draw."""
    open_knobs = knobs(experiment)
    found = {}
    for path, _, field in field_paths(experiment):
        group = path.partition(".")[0]
        numeric = bounds_of(field) is not None and field.annotation is not bool
        if path in open_knobs or path in _WIDEST or (numeric and group == "initializer" and "." in path):
            found[path] = str(field.title)
    return found


def axis_paths(experiment: Experiment) -> tuple[str, str]:
    """The two settings that are swept: the chosen ones, or others where the cell has no such setting."""
    allowed, view = axis_titles(experiment), state.view()
    bias = next((path for path in allowed if path in ("cell.forget_bias", "cell.update_bias")), "input_scale")
    x = view.x_axis if view.x_axis in allowed else "weight_scale"
    y = view.y_axis if view.y_axis in allowed else bias
    if x == y:
        y = next(path for path in ("input_scale", "weight_scale") if path != x)
    return x, y


def axis_values(experiment: Experiment, path: str, count: int) -> np.ndarray:
    """The whole range of a setting; sizes and lengths in equal ratios, as they act."""
    field = next(field for name, _, field in field_paths(experiment) if name == path)
    low, high = _WIDEST.get(path) or bounds_of(field) or (0, 1)
    if path in _WIDEST:
        return np.unique(np.round(np.geomspace(low, high, count)))
    return np.linspace(low, high, count)


def picture() -> None:
    """The map, drawn again and again while it is computed; float32 is twice as fast and exact enough."""
    view = state.view()
    experiment = sections.cell_alone().changed("batch_size", 1).changed("dtype", "float32")
    x, y = axis_paths(experiment)
    over = {path: axis_values(experiment, path, view.points) for path in (y, x)}
    try:
        job = _job_of(experiment, over)
    except TooLarge as error:
        st.error(f"{error} Nothing was computed; your settings are kept.", icon="⚠️")
        return
    _draw_while_it_runs(experiment, over, job)


def _job_of(experiment: Experiment, over: Mapping[str, np.ndarray]) -> Job:
    """The job of this picture, started; the one that this session looked at before is stopped."""
    view, jobs = state.view(), cache.jobs()
    last = int((bounds_of(type(experiment).model_fields["seed"]) or (0, 0))[1])
    seeds = min(experiment.seed, last + 1 - view.seeds) + np.arange(view.seeds)
    every = {**over, "seed": seeds}
    sizes = [len(values) for values in every.values()]
    rest = [experiment.changed(path, values[0]) for path, values in over.items()]
    key = f"{view.measure}|{list(over)}|{sizes}|{''.join(one.canonical() for one in rest)}"
    job = jobs.of(key, view.measure, sizes, lambda: sweep_parts(experiment, every, view.measure))
    if st.session_state.get("job") != key:
        jobs.stop(st.session_state.get("job", ""))
        st.session_state["job"] = key
        job.start()
        job.wait_for_first(1.0)
    return job


def _draw_while_it_runs(experiment: Experiment, over: Mapping[str, np.ndarray], job: Job) -> None:
    polls = job.runs

    def look() -> None:
        runs = job.runs
        _progress(job)
        _draw(experiment, over, job)
        if polls != runs:
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def _progress(job: Job) -> None:
    """How far it is, and the button that stops it or goes on."""
    if job.failed:
        st.error(f"The sweep stopped: {sections.literal(job.failed)}. Your settings are kept.", icon="⚠️")
    if job.finished or job.failed:
        return
    bar, button = st.columns([6, 1], vertical_alignment="center")
    count = f"{int(job.known.sum()):,} of {job.known.size:,} networks"
    bar.progress(job.share, f"{count}, coarse points first" if job.runs else f"{count}; stopped")
    if job.runs:
        button.button("Cancel", key="sweep:stop", on_click=job.stop, width="stretch")
    else:
        button.button("Go on", key="sweep:start", on_click=job.start, width="stretch")


def _draw(experiment: Experiment, over: Mapping[str, np.ndarray], job: Job) -> None:
    view, measure = state.view(), MEASURES[state.view().measure]
    values = middle_of_seeds(job)
    chi = chi_grid(experiment, over) if measure.name in _GROWTH else None
    theory = None if chi is None else Theory(chi, mean_field_tolerance(experiment))
    said = phase_sentence(values) if measure.name == "decades_per_step" else measure.help
    if theory is not None and measure.name == "decades_per_step":
        said += f" {theory_sentence(values, theory.chi, theory.tolerance)}"
    st.markdown(f"**{said}**")
    st.caption(
        f"Each point is a network of its own, run for {experiment.num_steps} steps on one sequence"
        f"{f', median of {view.seeds} seeds' if view.seeds > 1 else ''}. "
        "Click a point to open it in *Gradient flow*."
    )
    panel([_map(experiment, over, values, theory)], num_steps=1, cursor=0, key=KEY)


def middle_of_seeds(job: Job) -> np.ndarray:
    """Median over the seeds that are known, [ny, nx]; NaN where none is."""
    values = np.where(job.known, job.values, np.nan)
    known = job.known.any(axis=2)
    result = np.full(known.shape, np.nan)
    result[known] = [
        np.median(row[~np.isnan(row)]) if (~np.isnan(row)).any() else np.nan for row in values[known]
    ]
    return result


def _map(
    experiment: Experiment, over: Mapping[str, np.ndarray], values: np.ndarray, theory: Theory | None
) -> PanelFigure:
    titles, measure = axis_titles(experiment), MEASURES[state.view().measure]
    y, x = (Axis(titles[path], steps) for path, steps in over.items())
    quantity = figures.QUANTITIES[measure.name]
    drawn = figures.phase_diagram(x, y, values, quantity, theory)
    said = figures.phase_diagram_alt(x, y, values, quantity)
    link = dict(zip("yx", over, strict=True)) | {"query": to_query(state.experiment())}
    return panel_figure(
        experiment,
        "phase_diagram",
        drawn,
        said,
        span=12,
        height=450,
        fill=15.6,
        suffix=f": {measure.label}",
        link=link,
    )
