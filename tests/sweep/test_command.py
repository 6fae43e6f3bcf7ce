"""``python -m explorer sweep``: what it writes, what it keeps when it is interrupted, what it refuses."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from explorer.__main__ import main
from explorer.experiment import Experiment
from explorer.sweep import sweep
from explorer.sweep.jobs import Found, Job, compute

ROOT = Path(__file__).resolve().parents[2]
gather = import_module("explorer.sweep.gather")
SPEC = """
measure = ["decades_per_step", "half_life"]
workers = 0

[experiment]
cell = "lstm"
hidden_size = 8
num_steps = 30
batch_size = 1

[over]
weight_scale = { from = 0, to = 4, points = 30 }
cell.forget_bias = [-1, 2]
seed = [0, 1, 2]
"""
OVER = {"weight_scale": np.linspace(0, 4, 30), "cell.forget_bias": [-1.0, 2.0], "seed": [0, 1, 2]}


def wanted() -> xr.Dataset:
    experiment = Experiment(cell={"kind": "lstm"}, hidden_size=8, num_steps=30, batch_size=1)
    return sweep(experiment, OVER, ["decades_per_step", "half_life"])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path


def counting(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[Job]:
    """The jobs that are computed from now on; Ctrl-C instead of one of them."""
    done: list[Job] = []

    def counted(job: Job) -> Found:
        if len(done) == stop_at:
            raise KeyboardInterrupt
        done.append(job)
        return compute(job)

    monkeypatch.setattr(gather, "compute", counted)
    return done


def points_of(part: Path) -> int:
    with np.load(part) as stored:
        return len(stored["half_life"])


def assert_written(output: Path, data: xr.Dataset) -> None:
    with xr.open_dataset(output) as read:
        xr.testing.assert_equal(read.load(), data)
        assert read.attrs == data.attrs
    assert sorted(path.name for path in output.parent.iterdir() if path.suffix != ".toml") == [output.name]


def test_writes_what_sweep_returns(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = spec.with_name("map.nc")
    assert main(["sweep", str(spec), "-o", str(output)]) == 0
    assert_written(output, wanted())
    said = capsys.readouterr().err
    assert "180 of 180 points" in said and said.endswith(f"Written to {output}.\n")


def test_goes_on_after_ctrl_c(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = spec.with_name("map.nc")
    command = ["sweep", str(spec), "-o", str(output)]
    first = counting(monkeypatch, stop_at=3)
    assert main(command) == 130
    assert "Interrupted: finished parts are kept in" in capsys.readouterr().err
    assert len(first) == 3 and not output.exists()
    rest = counting(monkeypatch)
    assert main(command) == 0
    assert f"Going on from the parts in {output}.parts" in capsys.readouterr().err
    assert sum(job.size for job in [*first, *rest]) == 180
    assert_written(output, wanted())


def test_a_damaged_part_is_computed_again(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = spec.with_name("map.nc")
    counting(monkeypatch, stop_at=3)
    main(["sweep", str(spec), "-o", str(output)])
    parts = sorted(output.with_name("map.nc.parts").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:100])
    parts[1].write_bytes(b"")
    whole = [points_of(path) for path in parts[2:]]
    rest = counting(monkeypatch)
    assert main(["sweep", str(spec), "-o", str(output)]) == 0
    assert len(whole) == 1 and sum(job.size for job in rest) == 180 - sum(whole)
    assert_written(output, wanted())


def test_parts_of_another_sweep_are_not_taken(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = spec.with_name("map.nc")
    counting(monkeypatch, stop_at=4)
    main(["sweep", str(spec), "-o", str(output)])
    spec.write_text(SPEC.replace("num_steps = 30", "num_steps = 31"))
    rest = counting(monkeypatch)
    assert main(["sweep", str(spec), "-o", str(output)]) == 0
    assert sum(job.size for job in rest) == 180


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# The command, whose third job never ends.
HANGING = """
import sys, time
from importlib import import_module
from explorer.__main__ import main
gather = import_module("explorer.sweep.gather")
compute, begun = gather.compute, []

def hanging(job):
    begun.append(job)
    return compute(job) if len(begun) < 3 else time.sleep(600)

gather.compute = hanging
main(sys.argv[1:])
"""


def test_goes_on_after_kill_9(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = spec.with_name("map.nc")
    folder, command = output.with_name("map.nc.parts"), ["sweep", str(spec), "-o", str(output)]
    process = subprocess.Popen([sys.executable, "-c", HANGING, *command], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: len(list(folder.glob("*.npz"))) == 2)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL and not output.exists()
    kept = sum(points_of(path) for path in folder.glob("*.npz"))
    rest = counting(monkeypatch)
    assert main(command) == 0
    assert 0 < sum(job.size for job in rest) == 180 - kept < 180
    assert_written(output, wanted())


def test_workers_of_its_own(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(SPEC.replace("workers = 0", "workers = 1"))
    output = spec.with_name("map.nc")
    assert main(["sweep", str(spec), "-o", str(output)]) == 0
    assert_written(output, wanted())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("workers = 0", "worker = 0", "'worker' is unknown in .*; perhaps 'workers' was meant"),
        ("workers = 0", "workers = -1", "workers is -1; it must be a whole number of 0 or more"),
        ("workers = 0", "workers = 0 0", "is not TOML: .*line 3"),
        ('["decades_per_step", "half_life"]', "3", "measure is 3; it must be a name or a list of names"),
        ("half_life", "half_lives", "measure 'half_lives' is unknown; allowed are .*half_life"),
        ("num_steps = 30", "steps = 30", "experiment.steps is not a setting; perhaps 'num_steps' was meant"),
        ("num_steps = 30", 'num_steps = "long"', "experiment.num_steps = 'long' is not allowed: .*integer"),
        ("num_steps = 30", "num_steps = 5000", "experiment.num_steps = 5000 is not allowed: .*1000"),
        ('"lstm"', '"lstn"', "experiment.cell = .*lstn.* is not allowed: .*'lstm'"),
        ('"lstm"', '"rnn"', r"over\['cell.forget_bias'\] is not a setting of this experiment"),
        ("points = 30", "point = 30", "over.weight_scale is .*; a range has the numbers from, to and points"),
        ("points = 30", "points = 2.5", "over.weight_scale is .*points, a whole number"),
        ("to = 4", "to = 5", r"over\['weight_scale'\] holds .*; allowed are numbers from 0 to 4"),
        ("[0, 1, 2]", '"all"', r"over\['seed'\] is 'all'; it must be a list"),
        ("[over]", "[[over]]", "over is .*; it must be a table of settings"),
        ("[experiment]", "[[experiment]]", "experiment is .*; it must be a table of settings"),
        ("[over]", "[network]", "'network' is unknown in .*; there are experiment, over, measure, workers"),
        ("batch_size = 1", "batch_size = 64\nhold = 'forget'", "experiment.hold = 'forget' is not allowed"),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(
    spec: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    assert SPEC.count(old) == 1
    spec.write_text(SPEC.replace(old, new))
    assert_refused(spec, spec.with_name("map.nc"), said, capsys)


def assert_refused(spec: Path, output: Path, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(spec), "-o", str(output)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert re.search(said, line), line
    assert not output.is_file() and not output.with_name(f"{output.name}.parts").exists()


def test_files_that_cannot_be_read_or_written(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = spec.parent
    assert_refused(folder / "none.toml", folder / "map.nc", "none.toml cannot be read: No such file", capsys)
    assert_refused(folder, folder / "map.nc", "cannot be read: Is a directory", capsys)
    assert_refused(
        spec, folder / "none" / "map.nc", "cannot be written: it must be a file in a folder", capsys
    )
    assert_refused(spec, folder, "cannot be written: it must be a file in a folder", capsys)


def test_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2 and "python -m explorer" in capsys.readouterr().err
