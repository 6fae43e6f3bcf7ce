"""Training in processes of their own: the same numbers, orders obeyed, nobody in another one's way."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.experiment import Experiment
from explorer.tasks import Latch
from explorer.training.nursery import Nursery
from explorer.training.recipe import Recipe
from explorer.training.run import Run
from explorer.training.runs import Race, Runs, wait
from explorer.training.trainer import Trainer
from explorer.training.worker import TELL_EVERY
from tests.training.patience import PATIENCE, until

SMALL = Experiment(hidden_size=4, num_steps=10, batch_size=4, dtype="float32")
LONG = Recipe(experiment=SMALL.changed("hidden_size", 32), task=Latch(), steps=20_000)


def recipe(cell: str = "rnn", steps: int = 60, **changes: object) -> Recipe:
    return Recipe(experiment=SMALL.changed("cell", cell), task=Latch(), steps=steps, **changes)


def started(runs: Runs, owner: str, recipes: Sequence[Recipe]) -> Race[Run]:
    return runs.start(owner, [Run(one) for one in recipes])


def assert_is_the_run_of_a_notebook(runs: Sequence[Run]) -> None:
    for run in runs:
        trainer = Trainer(run.recipe)
        trainer.advance(run.training.step)
        for name, curve in trainer.training.curves.items():
            np.testing.assert_array_equal(run.training.curves[name], curve)
        np.testing.assert_array_equal(run.training.recorded, trainer.training.recorded)
        np.testing.assert_array_equal(run.training.decades, trainer.training.decades)
        for name, array in trainer.training.weights().items():
            np.testing.assert_array_equal(run.training.weights()[name], array)


def test_a_race_gives_the_numbers_of_a_run_in_this_process(runs: Runs) -> None:
    race = started(runs, "one", [recipe(), recipe("lstm"), recipe("peephole", clip="norm", clip_at=0.1)])
    assert wait(race, PATIENCE)
    assert [run.state for run in race.runs] == ["finished"] * 3
    assert_is_the_run_of_a_notebook(race.runs)


def test_a_few_steps_then_rewound_then_to_the_end_is_the_uninterrupted_run(runs: Runs) -> None:
    race = runs.start("two", [Run(recipe(), 17)])
    assert wait(race, PATIENCE)
    (run,) = race.runs
    assert (run.state, run.training.step) == ("paused", 17)
    run.rewind(9)
    back = max(step for step in run.recipe.moments if step <= 9)
    until(lambda: run.training.step == back and not run.busy)
    run.go(5)
    until(lambda: run.training.step == back + 5 and not run.busy)
    run.go()
    until(lambda: run.state == "finished")
    assert_is_the_run_of_a_notebook(race.runs)


def test_pause_stops_between_two_steps_and_go_goes_on(runs: Runs) -> None:
    race = started(runs, "three", [LONG])
    (run,) = race.runs
    until(lambda: run.training.step > 0)
    assert run.state == "running" and run.seconds_left > 0
    run.pause()
    until(lambda: run.state == "paused")
    step = run.training.step
    time.sleep(2 * TELL_EVERY)
    assert run.training.step == step and run.seconds_left == 0
    run.go()
    until(lambda: run.training.step > step)
    race.stop()
    until(lambda: not run.has_process)
    assert run.state == "stopped"


def test_a_worker_that_is_killed_is_named_and_harms_no_other(runs: Runs) -> None:
    race = started(runs, "four", [LONG, recipe("lstm", steps=200)])
    victim, other = race.runs
    until(lambda: victim.process > 0 and victim.training.step > 0)
    os.kill(victim.process, signal.SIGKILL)
    until(lambda: victim.state == "failed")
    assert "ended unexpectedly" in victim.failed and str(victim.training.step) in victim.failed
    until(lambda: other.state == "finished")
    assert_is_the_run_of_a_notebook([other])


def test_a_run_whose_worker_is_gone_is_done_again_and_goes_on(runs: Runs) -> None:
    race = started(runs, "five", [recipe()])
    (run,) = race.runs
    until(lambda: run.state == "finished")
    os.kill(run.process, signal.SIGKILL)  # as a minute without orders would end it
    until(lambda: not run.has_process)
    assert run.state == "finished"
    run.rewind(30)
    assert run.state == "paused" and run.training.step <= 30
    run.go()
    assert run.busy
    runs.fill()
    assert run.busy
    until(lambda: run.state == "finished")
    assert_is_the_run_of_a_notebook(race.runs)


def test_divergence_stops_one_run_with_a_sentence_and_keeps_its_curves(runs: Runs) -> None:
    wild = Recipe(
        experiment=SMALL.changed("cell.activation", "relu")
        .changed("weight_scale", 4.0)
        .changed("num_steps", 500),
        task=Latch(),
        optimizer="sgd",
        learning_rate=1.0,
        steps=60,
    )
    race = started(runs, "six", [wild, recipe()])
    assert wait(race, PATIENCE)
    assert [run.state for run in race.runs] == ["diverged", "finished"]
    said = race.runs[0].training.diverged
    assert "step" in said and said.endswith(".")
    assert len(race.runs[0].training.loss) == race.runs[0].training.step < 60


def test_what_cannot_be_trained_fails_with_the_reason(runs: Runs) -> None:
    huge = Recipe(
        experiment=Experiment(hidden_size=512, num_steps=1000, batch_size=64), task=Latch(), steps=10
    )
    race = started(runs, "seven", [huge])
    assert wait(race, PATIENCE)
    assert race.runs[0].state == "failed" and "GB" in race.runs[0].failed


def test_a_place_is_waited_for_in_the_order_of_asking(nursery: Nursery) -> None:
    runs = Runs(lambda owner: True, most=1, look_every=0.02, nursery=nursery)
    try:
        first = started(runs, "a", [LONG])
        second = started(runs, "b", [recipe(steps=20)])
        third = started(runs, "c", [recipe(steps=20)])
        assert [run.state for race in (second, third) for run in race.runs] == ["waiting"] * 2
        assert [runs.ahead_of(race) for race in (second, third)] == [0, 1]
        first.stop()
        until(lambda: second.runs[0].state == "finished")
        second.stop()
        until(lambda: third.runs[0].state == "finished")
    finally:
        runs.close()


def test_the_race_of_a_closed_page_ends(nursery: Nursery) -> None:
    there = {"stays", "goes"}
    runs = Runs(lambda owner: owner in there, patience=0.2, look_every=0.05, nursery=nursery)
    try:
        races = {owner: started(runs, owner, [LONG]) for owner in sorted(there)}
        until(lambda: all(race.runs[0].training.step > 0 for race in races.values()))
        there.remove("goes")
        until(lambda: not races["goes"].runs[0].has_process)
        assert races["stays"].runs[0].state == "running" and runs.of("goes") is None
        ended = races["goes"].runs[0].process
        until(lambda: not Path(f"/proc/{ended}").exists() or _is_zombie(ended))
    finally:
        runs.close()
    until(lambda: not races["stays"].runs[0].has_process)


def _is_zombie(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
