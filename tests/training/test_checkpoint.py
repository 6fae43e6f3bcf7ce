"""Runs that are stopped in every way go on as if they had not been; files that are none are refused."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from explorer.tasks import Latch
from explorer.training import Recipe, Trainer, load_weights, resumable, save_weights, train
from explorer.training.checkpoint import load_checkpoint, save_checkpoint
from tests.training.test_trainer import same
from tests.training.textbook_loop import explosive, small

ROOT = Path(__file__).resolve().parents[2]
RECIPE = small({"kind": "lstm"}, experiment={"dtype": "float32"}, steps=30)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: int, after: bool) -> None:
    """Ctrl-C in the ``when``-th call of a method, before or after it has done its work."""
    original, calls = getattr(owner, name), [0]

    def method(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == when and not after:
            raise KeyboardInterrupt
        result = original(*args, **kwargs)
        if calls[0] == when:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize(
    ("owner", "name", "when", "after"),
    [(Latch, "draw", 13, False), (torch.optim.Adam, "step", 13, True), (Trainer, "record", 5, False)],
    ids=["between steps", "after the weights moved", "before the record"],
)
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: int, after: bool
) -> None:
    path = tmp_path / "run.safetensors"
    monkeypatch.setattr(resumable, "SECONDS", 0.0)
    monkeypatch.setattr(resumable, "SHARE", float("inf"))
    straight = train(RECIPE)
    with monkeypatch.context() as patch:
        interrupt_at(patch, owner, name, when, after)
        with pytest.raises(KeyboardInterrupt):
            train(RECIPE, checkpoint=path)
    stopped, _ = load_checkpoint(path)
    assert 0 < stopped.step < RECIPE.steps
    same(train(RECIPE, checkpoint=path), straight)
    same(train(RECIPE, checkpoint=path), straight)  # nothing left to do
    same(load_checkpoint(path)[0], straight)
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_while_the_file_is_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    trainer = Trainer(RECIPE)
    save_checkpoint(path, trainer.training, trainer.snapshot())
    trainer.advance(5)
    interrupt_at(monkeypatch, Path, "replace", 1, after=False)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, trainer.training, trainer.snapshot())
    assert load_checkpoint(path)[0].step == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_process_loses_nothing_but_time(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    recipe = small({"kind": "lstm"}, experiment={"dtype": "float32"}, steps=3000)
    code = f"""
        from explorer.training import Recipe, resumable, train
        resumable.SECONDS = 0.0
        resumable.SHARE = float("inf")
        train(Recipe.model_validate_json({recipe.canonical()!r}), checkpoint={str(path)!r})
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 60
        while not (path.exists() and load_checkpoint(path)[0].step > 20):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    training, snapshot = load_checkpoint(path, recipe)
    assert 20 < training.step < recipe.steps
    resumed, straight = Trainer.resumed(training, snapshot), Trainer(recipe)
    goal = training.step + 60
    resumed.advance(60)
    straight.advance(goal)
    same(resumed.training, straight.training)


def test_a_diverged_run_stays_diverged(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    recipe = explosive()
    first = train(recipe, checkpoint=path)
    assert first.diverged
    same(train(recipe, checkpoint=path), first)


def test_the_bar_says_where_the_run_is(capsys: pytest.CaptureFixture[str]) -> None:
    train(RECIPE, progress=True)
    said = capsys.readouterr().err
    assert "30/30" in said and "loss" in said and "accuracy" in said


def test_a_run_without_gates_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    recipe = small({"kind": "rnn"}, task={"kind": "digits"}, steps=3)
    same(train(recipe, checkpoint=path), load_checkpoint(path)[0])


def test_weights_come_back_with_their_recipe(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    training = train(RECIPE)
    save_weights(path, training, 3)
    recipe, weights, step = load_weights(path)
    assert recipe == RECIPE and step == training.recorded[3]
    assert weights.keys() == training.weights(3).keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(array, training.weights(3)[name])
        assert array.dtype == np.float32
    module = torch.nn.LSTMCell(recipe.task.input_size, recipe.experiment.hidden_size)
    tensors = {name: torch.tensor(a) for name, a in load_file(path).items() if "." not in name}
    module.load_state_dict(tensors)


@pytest.mark.parametrize("load", [load_checkpoint, load_weights])
def test_files_that_are_something_else_are_refused(tmp_path: Path, load: Any) -> None:
    good = tmp_path / "good.safetensors"
    trainer = Trainer(RECIPE)
    if load is load_checkpoint:
        save_checkpoint(good, trainer.training, trainer.snapshot())
    else:
        save_weights(good, trainer.training)
    content, arrays = good.read_bytes(), load_file(good)

    def refused(content: bytes, said: str) -> None:
        path = tmp_path / "bad.safetensors"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=said) as caught:
            load(path)
        assert "\n" not in str(caught.value)

    def with_metadata(**changes: str) -> bytes:
        size = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + size])["__metadata__"] | changes
        path = tmp_path / "changed.safetensors"
        save_file(arrays, path, metadata)
        return path.read_bytes()

    refused(b"", "no safetensors file")
    refused(b"these are words and no tensors", "no safetensors file")
    refused(content[: len(content) // 2], "no safetensors file, or is damaged")
    refused(with_metadata(version="99"), "is of version 99; this program reads version 1")
    refused(with_metadata(format="pt"), "holds no gradient-explorer")
    refused(with_metadata(recipe="{}}"), "a recipe that this program cannot read")
    refused(with_metadata(recipe='{"steps": -1}'), "a recipe that this program cannot read")
    refused(with_metadata(step="many"), "is damaged")
    save_file({"a": np.zeros(3)}, tmp_path / "plain.safetensors")
    refused((tmp_path / "plain.safetensors").read_bytes(), "other tensors")
    with pytest.raises(FileNotFoundError, match="is no file"):
        load(tmp_path / "missing.safetensors")


def test_lost_and_misshapen_arrays_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    trainer = Trainer(RECIPE)
    trainer.advance(3)
    save_checkpoint(path, trainer.training, trainer.snapshot())
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata, arrays = json.loads(content[8 : 8 + size])["__metadata__"], load_file(path)
    for name in ("curve/loss", "0/step", "present/weights/weight_hh"):
        save_file({key: a for key, a in arrays.items() if key != name}, path, metadata)
        with pytest.raises(ValueError, match="is damaged"):
            load_checkpoint(path)
    save_file(arrays | {"present/weights/weight_hh": np.zeros((3, 3), np.float32)}, path, metadata)
    with pytest.raises(ValueError, match="is damaged"):
        load_checkpoint(path)


def test_the_checkpoint_of_another_recipe_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(RECIPE, checkpoint=path)
    before = path.read_bytes()
    other = Recipe.model_validate(RECIPE.model_dump() | {"learning_rate": 0.02, "steps": 31})
    with pytest.raises(ValueError, match=r"learning_rate is 0\.01 and not 0\.02, steps is 30 and not 31"):
        train(other, checkpoint=path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_found_out_before_training(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        train(RECIPE, checkpoint=tmp_path / "nowhere" / "run.safetensors")
