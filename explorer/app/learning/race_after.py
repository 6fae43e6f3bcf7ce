"""Before and after: the trained networks of a race on the other pages, saved to files and loaded again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.app import sections, state
from explorer.app.learning.race_setting import Lane, Setting, lanes, started
from explorer.app.learning.race_words import reaches
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.figures import decades as log
from explorer.link import to_query
from explorer.tasks import TASKS
from explorer.training.checkpoint import load_weights, save_weights
from explorer.training.recipe import Recipe
from explorer.training.trained import experiment_after, experiment_before, experiment_of
from explorer.training.training import Training

MOST = 20  # megabytes of an uploaded file
_PAGES = "explorer/app/pages"
_DRAWN = "race-after:drawn"  # what the table was made for


def before_and_after(found: Setting) -> None:
    """A box with links to the networks before and after training; closed it costs nothing."""
    box = st.expander(
        "Before and after: look at the trained networks, save them, load them",
        key="race-after",
        on_change="rerun",
    )
    st.session_state[_DRAWN] = None
    if not box.open:
        return
    with box:
        race = started(found)
        if race is not None and race.busy:
            st.caption("The networks are in training: pause the race, or let it end, to look at them.")
        else:
            there = lanes(found)
            st.session_state[_DRAWN] = _steps(there)
            _table([lane for lane in there if lane.training.step])
        _loader()


def outdated(there: Sequence[Lane]) -> bool:
    """Whether the table shows other training steps than the networks are at now; said once."""
    drawn = st.session_state.get(_DRAWN)
    if drawn is None or drawn == _steps(there):
        return False
    st.session_state[_DRAWN] = None
    return True


def _steps(there: Sequence[Lane]) -> list[tuple[str, int]]:
    return [(lane.title, lane.training.step) for lane in there]


def _table(trained: Sequence[Lane]) -> None:
    if not trained:
        st.caption("Nothing is trained yet: *Train* first, or load trained weights.")
        return
    st.caption("‖∂L/∂h₁‖ beside the largest ‖∂L/∂h_t‖, before training → now (training step):")
    for place, lane in enumerate(trained):
        training = lane.training
        step = int(training.recorded[-1])
        first, last = (log.number(reaches(training, r)) for r in (0, -1))
        said, *places = _row()
        said.markdown(f"**{sections.literal(lane.title)}**: {first} → {last} (step {step})")
        if not _is_finite(training):
            said.caption("Its weights are no finite numbers any more.")
            continue
        _links(places, experiment_before(training.recipe), experiment_after(training))
        places[-1].download_button(
            "Save",
            partial(_file, training),
            file_name=_file_name(lane.title, step),
            mime="application/octet-stream",
            key=f"race-after:save:{place}",
            on_click="ignore",
            help="The weights as a safetensors file with the whole recipe inside.",
        )


def _row() -> list[DeltaGenerator]:
    """Places for what is said, three links and a button."""
    return st.columns([3.7, 1.7, 1.6, 1.15, 0.85], vertical_alignment="center")


def _is_finite(training: Training) -> bool:
    return all(np.isfinite(array).all() for array in training.weights().values())


def _links(places: Sequence[DeltaGenerator], before: Experiment, after: Experiment) -> None:
    """The network on the pages that draw one network; the one after training beside a pin of that before."""
    links = [
        ("gradient_flow", "Gradient flow before", _query(before)),
        ("gradient_flow", "Gradient flow after", _query(after, before)),
        ("gates", "Gates after", _query(after, before)),
    ]
    for place, (page, label, query) in zip(places, links, strict=False):
        if page != "gates" or after.cell.gates:
            place.page_link(f"{_PAGES}/{page}.py", label=f":blue[{label}]", icon="", query_params=query)


def _query(experiment: Experiment, pinned: Experiment | None = None) -> dict[str, Any]:
    """The address of an experiment with all choices of the view, so that this page stays as it is."""
    pairs = dict(parse_qsl(to_query(experiment), keep_blank_values=True)) | state.view().to_pairs()
    return pairs if pinned is None else {**pairs, "pin": [to_query(pinned)]}


def _file(training: Training) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(path, training)
        return path.read_bytes()


def _file_name(title: str, step: int) -> str:
    """'lstm-b-3-after-300-steps.safetensors'."""
    return f"{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}-after-{step}-steps.safetensors"


# ---- files ----


def _loader() -> None:
    """Weights that were saved here or by ``ex.save_weights``."""
    uploaded = st.file_uploader(
        "Load trained weights (.safetensors)", key="race-after:load", max_upload_size=MOST
    )
    if uploaded is None:
        return
    try:
        recipe, before, after, step = loaded(uploaded.name, uploaded.getvalue())
    except ValueError as error:
        st.warning(sections.literal(str(error)), icon="⚠️")
        return
    task = TASKS[recipe.task.kind][0]
    length = recipe.experiment.num_steps
    said, *places = _row()
    kind = f"{CELLS[after.cell.kind][0]} of {after.hidden_size} units"
    said.markdown(f"**{sections.literal(uploaded.name)}**: {kind}, {task}, T = {length}, {step} steps")
    _links(places, before, after)


def loaded(name: str, content: bytes) -> tuple[Recipe, Experiment, Experiment, int]:
    """(recipe, experiment before training, the one with the weights, training steps) of a saved file.

    Raises ValueError with one sentence: too large, no such file, damaged, or of another version.
    """
    if len(content) > MOST * 2**20:
        raise ValueError(f"{name} is larger than {MOST} MB: no file of trained weights is")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        path.write_bytes(content)
        try:
            recipe, weights, step = load_weights(path)
        except ValueError as error:
            raise ValueError(f"{str(error).replace(str(path), name)}.") from None
    return recipe, experiment_before(recipe), experiment_of(recipe, weights, step), step
