"""Sweeps beside the page: coarse first, stopped and resumed without losing a number, failures said."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from explorer.app.sweep_jobs import Job, Jobs
from explorer.experiment import Experiment
from explorer.sweep import Part, sweep, sweep_parts

BASE = Experiment(hidden_size=4, num_steps=12, batch_size=1)
OVER = {"input_scale": np.linspace(0, 2, 16), "weight_scale": np.linspace(0.5, 3, 16), "seed": [0, 1]}
NAME = "decades_per_step"


def job(parts: Iterator[Part] | None = None) -> Job:
    found = parts or sweep_parts(BASE, OVER, NAME)
    shape = [len(values) for values in OVER.values()]
    return Job(found, NAME, np.full(shape, np.nan), np.zeros(shape, bool))  # type: ignore[arg-type]


def wait(one: Job) -> None:
    assert one._thread is not None
    one._thread.join(30)
    assert not one.runs


def test_a_finished_job_has_the_numbers_of_a_sweep() -> None:
    one = job()
    one.start()
    one.wait_for_first(30)
    assert one.share > 0
    wait(one)
    assert one.finished and one.share == 1
    np.testing.assert_array_equal(one.values, sweep(BASE, OVER, NAME).to_numpy())


def test_a_stopped_job_keeps_what_it_has_and_goes_on_from_there() -> None:
    gates = [threading.Event() for _ in range(3)]
    asked = []

    def parts() -> Iterator[Part]:
        for k, part in enumerate(sweep_parts(BASE, OVER, NAME)):
            asked.append(k)
            yield part
            if k < len(gates):
                gates[k].wait(30)

    one = job(parts())
    one.start()
    one.wait_for_first(30)
    assert one.runs
    threading.Timer(0.05, gates[0].set).start()
    one.stop()
    assert not one.runs and not one.finished
    before = one.values.copy()
    known = one.known.copy()
    for gate in gates:
        gate.set()
    one.start()
    wait(one)
    assert one.finished
    np.testing.assert_array_equal(one.values[known], before[known])
    assert asked == sorted(set(asked))  # nothing twice


def test_a_failure_is_a_sentence() -> None:
    def parts() -> Iterator[Part]:
        raise ValueError("no such number")
        yield

    one = job(parts())
    one.start()
    wait(one)
    assert one.failed == "ValueError: no such number"
    one.start()
    assert not one.runs  # it would only fail again


def test_the_same_key_is_the_same_job_and_the_oldest_go() -> None:
    jobs = Jobs()
    first = jobs.of("a", NAME, [2, 2], lambda: sweep_parts(BASE, OVER, NAME))
    assert jobs.of("a", NAME, [2, 2], pytest.fail) is first
    for k in range(12):
        jobs.of(str(k), NAME, [2, 2], lambda: sweep_parts(BASE, OVER, NAME))
    assert jobs.of("a", NAME, [2, 2], lambda: sweep_parts(BASE, OVER, NAME)) is not first
    jobs.stop("unknown")
