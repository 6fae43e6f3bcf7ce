"""What is computed once for all sessions: the only user of Streamlit's caches.

Keys are canonical strings of experiments. Entries are shared and read-only. Traces are bounded in number
by their size, so that the cache as a whole stays below about 2.5 GB whatever people ask for.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from streamlit.runtime import Runtime

from explorer.app.measured import Measured, Spectra, measure, measure_spectra
from explorer.app.sweep_jobs import Jobs
from explorer.app.text_jobs import TextJobs
from explorer.experiment import Experiment
from explorer.seq2seq import Seq2Seq, gradient_map, run_translator
from explorer.sweep import KnobRange, knob_range
from explorer.trace import Trace, memory_needed, run
from explorer.training.runs import Runs
from explorer.verify import Verification, verify
from explorer.weights import draw_weights

_SMALL = 2.5e7  # bytes
Found = TypeVar("Found")


@st.cache_resource(show_spinner=False)
def warm_up() -> bool:
    """Load every library, run everything once and freeze what is there, so that no visitor waits for it.

    Streamlit would otherwise collect all garbage of torch and plotly after every move of a slider.
    """
    trace = run(Experiment())
    measure(trace)
    measure_spectra(trace, 0)
    verify(trace)
    gradient_map(run_translator(Seq2Seq(hidden_size=2), [3, 4], [3]))
    gc.collect()
    gc.freeze()
    return True


def trace_of(experiment: Experiment) -> Trace:
    """The trace of an experiment's cell alone; raises ``TooLarge`` as ``run`` does."""
    experiment = experiment.alone()
    cached = _small_trace if memory_needed(experiment) < _SMALL else _large_trace
    found: Trace = cached(experiment.canonical(), experiment)
    return found


@st.cache_resource(show_spinner=False, max_entries=40)
def _small_trace(key: str, _experiment: Experiment) -> Trace:
    return run(_experiment)


@st.cache_resource(show_spinner="Running a large network …", max_entries=1)
def _large_trace(key: str, _experiment: Experiment) -> Trace:
    return run(_experiment)


def measured(experiment: Experiment) -> Measured:
    """What the first picture shows of an experiment."""
    return kept(experiment, _measured)


def _measured(experiment: Experiment) -> Measured:
    return measure(trace_of(experiment))


def spectra(experiment: Experiment, sample: int) -> Spectra:
    """What the figures show that follow."""
    return kept(experiment, _spectra, sample)


def _spectra(experiment: Experiment, sample: int) -> Spectra:
    return measure_spectra(trace_of(experiment), sample)


def verified(experiment: Experiment) -> Verification:
    """The engine compared with autograd and finite differences."""
    found: Verification = _verified(experiment.canonical(), experiment)
    return found


@st.cache_resource(show_spinner=False, max_entries=100)
def _verified(key: str, _experiment: Experiment) -> Verification:
    return verify(trace_of(_experiment))


def eigenvalues(experiment: Experiment, block: int) -> tuple[np.ndarray, float]:
    """Eigenvalues [H] and largest singular value of one block of W_hh at weight scale 1."""
    base = experiment.changed("weight_scale", 1.0)
    shape = f"{base.cell.kind}|{getattr(base.cell, 'periods', '')}"  # what the cell constrains a matrix to
    found: tuple[np.ndarray, float] = _eigenvalues(
        f"{base.initializer}|{base.trained}|{base.hidden_size}|{base.seed}|{shape}|{block}", block, base
    )
    return found


@st.cache_resource(show_spinner=False, max_entries=200)
def _eigenvalues(key: str, block: int, _base: Experiment) -> tuple[np.ndarray, float]:
    size = _base.hidden_size
    matrix = draw_weights(_base)["weight_hh"][block * size : (block + 1) * size]
    return np.linalg.eigvals(matrix), float(np.linalg.norm(matrix, 2))


def swept(experiment: Experiment, knob: str, values: np.ndarray) -> KnobRange:
    """Gradient norms over the whole range of a knob; the same for every value that the knob has now."""
    base = experiment.changed(knob, float(values[-1]))
    found: KnobRange = _swept(base.canonical(), knob, tuple(values), base)
    return found


@st.cache_resource(show_spinner=False, max_entries=24)
def _swept(key: str, knob: str, values: tuple[float, ...], _base: Experiment) -> KnobRange:
    return knob_range(_base, knob, np.array(values))


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Sweeps of all sessions; they bound themselves."""
    return Jobs()


@st.cache_resource(show_spinner=False)
def text_jobs() -> TextJobs:
    """Studies of text of all sessions; they bound themselves."""
    return TextJobs()


@st.cache_resource(show_spinner=False)
def runs() -> Runs:
    """Training of all sessions, in processes of its own; that of a closed page is ended."""
    return Runs(_is_open)


def _is_open(session: str) -> bool:
    """Whether the page of a session is still open in a browser; always so without a server, in tests."""
    return not Runtime.exists() or Runtime.instance().is_active_session(session)


def remembered(key: str, compute: Callable[[], Found]) -> Found:
    """``compute()``, kept under a key that names everything that decides it."""
    found: Found = _remembered(key, compute)
    return found


@st.cache_resource(show_spinner=False, max_entries=300)
def _remembered(key: str, _compute: Callable[[], object]) -> Any:
    return _compute()


def kept(experiment: Experiment, measure: Callable[..., Found], *choices: object) -> Found:
    """``measure(experiment, *choices)``: a few small arrays, kept."""
    key = f"{measure.__module__}.{measure.__qualname__}{choices}|{experiment.canonical()}"
    return remembered(key, lambda: measure(experiment, *choices))
