"""Which points are computed together: all of them once, the coarse picture first, within the memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import pool
from explorer.experiment import Experiment
from explorer.memory import MEMORY_LIMIT, TooLarge, memory_needed
from explorer.sweep import MEASURES, jobs, sweep, sweep_parts
from explorer.sweep.axes import axes_of
from explorer.sweep.plan import Task, check_memory, plan

LENGTHS = {"weight_scale": 4.0, "bias_scale": 10.0, "signal.amplitude": 10.0}


def tasks_of(experiment: Experiment, over: dict[str, Any]) -> list[Task]:
    return list(plan(experiment, axes_of(experiment, over), ["decades_per_step"]))


def points(tasks: Sequence[Task]) -> list[tuple[int, ...]]:
    return [point for task in tasks for point in zip(*(index.tolist() for index in task.where), strict=True)]


@given(
    lengths=st.dictionaries(st.sampled_from(sorted(LENGTHS)), st.integers(1, 40), min_size=1, max_size=2),
    seeds=st.integers(1, 2),
    horizons=st.integers(1, 10),
    batch=st.sampled_from([1, 3, 64]),
)
@settings(max_examples=25)
def test_every_point_once(lengths: dict[str, int], seeds: int, horizons: int, batch: int) -> None:
    over = {path: np.linspace(0, LENGTHS[path], count) for path, count in lengths.items()}
    over |= {"num_steps": np.arange(2, 2 + horizons), "seed": np.arange(seeds)}
    tasks = tasks_of(Experiment(batch_size=batch), over)
    found = points(tasks)
    assert len(found) == len(set(found)) == np.prod([len(values) for values in over.values()])
    assert [task.index for task in tasks] == list(range(len(tasks)))
    assert all(len(index) == task.job.size for task in tasks for index in task.where)
    levels = [task.level for task in tasks]
    assert levels == sorted(levels)


def test_values_stand_where_they_belong() -> None:
    experiment = Experiment(batch_size=2)
    over = {
        "seed": [7, 8],
        "num_steps": [5, 9, 20],
        "weight_scale": np.linspace(0, 1, 30),
        "cell.bias": [1, 2],
    }
    axes = axes_of(experiment, over)
    for task in tasks_of(experiment, over):
        shape = len(task.job.horizons), -1
        seeds, steps, scales, biases = (index.reshape(shape) for index in task.where)
        for row, horizon in enumerate(task.job.horizons):
            assert {axes[1].values[k] for k in steps[row]} == {horizon}
            np.testing.assert_array_equal(
                np.array(axes[2].values)[scales[row]], task.job.knobs["weight_scale"]
            )
            np.testing.assert_array_equal(np.array(axes[3].values)[biases[row]], task.job.knobs["cell.bias"])
        assert {axes[0].values[k] for k in seeds.ravel()} == {task.job.experiment.seed}


def test_a_coarse_picture_comes_first() -> None:
    side = np.linspace(0, 4, 64)
    tasks = tasks_of(Experiment(), {"weight_scale": side, "bias_scale": side, "seed": range(3)})
    by_level = [points([task for task in tasks if task.level == level]) for level in range(4)]
    every = {0: range(0, 64, 8), 1: range(0, 64, 4), 2: range(64)}
    before: set[tuple[int, ...]] = set()
    for level, steps in every.items():
        wanted = {(i, j, 0) for i in steps for j in steps}
        assert set(by_level[level]) == wanted - before
        before = wanted
    assert {point[2] for point in by_level[3]} == {1, 2} and len(by_level[3]) == 2 * 64**2


def test_parts_arrive_in_that_order() -> None:
    experiment = Experiment(hidden_size=3, num_steps=4, batch_size=1)
    over = {"weight_scale": np.linspace(0, 4, 32), "bias_scale": np.linspace(0, 4, 32)}
    whole, grid = sweep(experiment, over), np.full((32, 32), np.nan)
    parts = list(sweep_parts(experiment, over))
    for part in parts:
        assert np.isnan(grid[part.where]).all()
        grid[part.where] = part.values["decades_per_step"]
        assert part.done == np.isfinite(grid).sum() + np.isneginf(grid).sum() and part.total == 1024
    np.testing.assert_array_equal(grid, whole)
    assert [part.level for part in parts] == sorted(part.level for part in parts)


@pytest.mark.parametrize("columns", [1, 6, 50])
def test_the_width_of_a_product_moves_the_last_digits_at_most(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    experiment = Experiment(cell={"kind": "gru"}, hidden_size=5, num_steps=20, batch_size=3)
    over = {"weight_scale": np.linspace(0, 4, 20), "cell.update_bias": [-2.0, 1.0], "num_steps": [7, 20]}
    wanted = sweep(experiment, over, list(MEASURES)).to_array()
    monkeypatch.setattr(jobs, "_FEW", 1)
    monkeypatch.setattr(jobs, "_COLUMNS", columns)
    found = sweep(experiment, over, list(MEASURES)).to_array()
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "peephole"])
@pytest.mark.parametrize("batch", [1, 16, 64])
def test_one_product_stays_within_the_memory_at_any_size(kind: str, batch: int) -> None:
    refused = 0
    for size in (2, 64, 512):
        for steps in (2, 100, 1000):
            experiment = Experiment(
                cell={"kind": kind}, hidden_size=size, num_steps=steps, batch_size=batch, dtype="float64"
            )
            over = {"weight_scale": np.linspace(0, 4, 200)}
            try:
                check_memory(experiment, axes_of(experiment, over))
            except TooLarge:
                refused += 1
                continue
            for task in tasks_of(experiment, over):
                assert memory_needed(experiment, columns=task.job.size * batch) < MEMORY_LIMIT
    assert refused < 9


@pytest.mark.parametrize("kind", ["rnn", "lstm", "peephole"])
def test_the_peak_is_what_the_arithmetic_allows(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    allowed = 5e6
    monkeypatch.setattr(jobs, "_MEMORY", allowed)
    experiment = Experiment(cell={"kind": kind}, hidden_size=32, num_steps=50, batch_size=1)
    over = {"weight_scale": np.linspace(0, 2, 150)}
    sweep(experiment, {"weight_scale": [1.0]}, list(MEASURES))
    monkeypatch.setattr(pool, "_free", {})  # blocks that other tests left would not be counted
    monkeypatch.setattr(pool, "_kept", 0)
    tracemalloc.start()
    try:
        sweep(experiment, over, list(MEASURES))
        assert allowed / 2 < tracemalloc.get_traced_memory()[1] < 4 * allowed
    finally:
        tracemalloc.stop()
