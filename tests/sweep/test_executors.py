"""The same numbers to the last digit whoever computes them, also when workers are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

from explorer.experiment import Experiment
from explorer.sweep import sweep, sweep_parts

EXPERIMENT = Experiment(cell={"kind": "lstm"}, hidden_size=6, num_steps=15, batch_size=2)
OVER = {"weight_scale": np.linspace(0, 4, 24), "cell.forget_bias": [-1.0, 2.0], "seed": range(4)}
MEASURE = ["decades_per_step", "saturated"]


@pytest.fixture(scope="module")
def alone() -> xr.Dataset:
    return sweep(EXPERIMENT, OVER, MEASURE)


def processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, multiprocessing.get_context("fork"))


@pytest.fixture(params=["threads", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "dask":
        with (
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client.get_executor()
    else:
        with ThreadPoolExecutor(2) if request.param == "threads" else processes() as pool:
            yield pool


def test_any_executor_gives_the_same_numbers(executor: Executor, alone: xr.Dataset) -> None:
    seen: list[int] = []
    found = sweep(EXPERIMENT, OVER, MEASURE, executor=executor, progress=lambda done, _: seen.append(done))
    xr.testing.assert_identical(found, alone)
    assert seen == sorted(seen) and seen[-1] == alone["saturated"].size


def test_an_executor_stays_open_and_one_that_was_made_is_closed(alone: xr.Dataset) -> None:
    made: list[ThreadPoolExecutor] = []

    def make() -> Executor:
        made.append(ThreadPoolExecutor(1))
        return made[-1]

    xr.testing.assert_identical(sweep(EXPERIMENT, OVER, MEASURE, executor=make), alone)
    assert len(made) == 1
    with pytest.raises(RuntimeError, match="after shutdown"):
        made[0].submit(int)
    with ThreadPoolExecutor(1) as given:
        sweep(EXPERIMENT, OVER, MEASURE, executor=given)
        assert given.submit(int).result() == 0


@pytest.mark.parametrize("again", [False, True])
def test_what_killed_workers_had_is_reported_and_done_again(again: bool, alone: xr.Dataset) -> None:
    made: list[ProcessPoolExecutor] = []

    def make() -> Executor:
        made.append(processes())
        return made[-1]

    killed: list[int] = []

    def once(done: int, total: int) -> None:
        if not killed:
            killed.append(done)
            for process in list(made[0]._processes.values()):
                process.kill()

    seeds = range(100)  # more jobs than are handed over at once, so that some are left whoever is faster
    with pytest.warns(RuntimeWarning, match=r"A worker process was killed: \d+ parts .* done again"):
        found = sweep(
            EXPERIMENT, OVER | {"seed": seeds}, MEASURE, executor=make if again else make(), progress=once
        )
    assert len(made) == (2 if again else 1)
    made[0].shutdown()
    xr.testing.assert_identical(found.isel(seed=slice(4)), alone)
    assert not np.isnan(found["saturated"]).any()


def test_workers_that_always_die_leave_the_rest_to_this_process(alone: xr.Dataset) -> None:
    made = []

    def make() -> Executor:
        made.append(ProcessPoolExecutor(1, multiprocessing.get_context("fork"), initializer=_die))
        return made[-1]

    with pytest.warns(RuntimeWarning, match="killed"):
        xr.testing.assert_identical(sweep(EXPERIMENT, OVER, MEASURE, executor=make), alone)
    assert 1 < len(made) < 10


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Slow(Executor):
    """Does one job at a time, when it is asked for its result."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not self.futures:
            future.set_result(function(*arguments, **named))
        self.futures.append(future)
        return future


def test_closing_cancels_what_was_handed_over() -> None:
    executor = Slow()
    parts = sweep_parts(EXPERIMENT, OVER, executor=executor)
    next(parts)
    parts.close()
    assert len(executor.futures) > 2
    assert all(future.cancelled() for future in executor.futures[1:])


def test_an_error_of_a_job_is_raised() -> None:
    class Failing(Slow):
        def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(MemoryError("no room"))
            return future

    with pytest.raises(MemoryError, match="no room"):
        sweep(EXPERIMENT, OVER, executor=Failing())
