"""docs/adding-a-cell.md, followed to the letter in a copy of the package: its blocks are under test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "adding-a-cell.md"
CELL_FILE, REGISTRY = "explorer/cells/two_scales.py", "explorer/cells/__init__.py"


def blocks() -> dict[str, str]:
    """What stands behind ```python or ```diff → code."""
    found = re.findall(r"^```(?:python|diff) (.+?)\n(.*?)^```$", DOC.read_text("utf-8"), re.M | re.S)
    assert len(dict(found)) == len(found), "two blocks of the same name"
    return dict(found)


def with_changes(text: str, diff: str) -> str:
    """The text with a diff's lines: those that stay and go must be there in this order."""
    lines, at = text.splitlines(), 0
    for mark, line in ((entry[:1], entry[1:]) for entry in diff.splitlines()):
        if mark == "+":
            lines.insert(at, line)
            at += 1
            continue
        assert line in lines[at:], f"{REGISTRY} has no line {line!r} (any more)"
        at = lines.index(line, at)
        if mark == "-":
            del lines[at]
        else:
            at += 1
    return "\n".join(lines) + "\n"


# Importing takes longer than most programs: one process imports, and every program runs in a fork of it.
SERVER = """
import os, sys, traceback
import explorer, hypothesis, pytest, streamlit.testing.v1, torch

for size in sys.stdin.buffer:
    code = sys.stdin.buffer.read(int(size)).decode()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    print("\\0", os.waitstatus_to_exitcode(status), flush=True)
"""


class Copy:
    """A copy of the package with the document's file and row, and a process that runs programs there."""

    def __init__(self, folder: Path, optional: bool) -> None:
        self.folder, code = folder, blocks()
        skip = shutil.ignore_patterns("__pycache__")
        for name in ("explorer", "tests", ".streamlit"):
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
        shutil.copy(ROOT / "dashboard.py", folder)
        cell = code[CELL_FILE]
        if optional:
            first = "from __future__ import annotations\n"
            cell = cell.replace(first, f"{first}\n{code[f'{CELL_FILE} (imports)']}", 1)
            cell += "\n" + indent(code[f"{CELL_FILE} (methods of TwoScales)"], "    ")
        (folder / CELL_FILE).write_text(cell, "utf-8")
        registry = folder / REGISTRY
        registry.write_text(with_changes(registry.read_text("utf-8"), code[REGISTRY]), "utf-8")

        environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def python(self, code: str) -> str:
        """What a program prints there."""
        server, program = self._server, code.encode()
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(b"%d\n" % len(program) + program)
        server.stdin.flush()
        said = []
        for line in map(bytes.decode, server.stdout):
            if line.startswith("\0"):
                assert int(line[1:]) == 0, "".join(said)[-6000:]
                return "".join(said)
            said.append(line)
        raise AssertionError("".join(said)[-6000:])

    def close(self) -> None:
        """End the process."""
        self._server.communicate()


@pytest.fixture(scope="module", params=[False, True], ids=["core only", "with partials and stepper"])
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    made = Copy(tmp_path_factory.mktemp("copy"), optional=request.param)
    yield made
    made.close()


def test_the_example_of_use_runs(copy: Copy) -> None:
    copy.python(blocks()["check"])


# The textbook recursion in plain torch: shares nothing with the engine but weights, inputs and readout.
GRADIENTS = """
import numpy as np, torch
import explorer as ex

for change in ({}, {"weight_scale": 3.0, "loss": {"kind": "every"}}, {"initial_scale": 2.0, "num_steps": 60}):
    settings = dict(cell={"kind": "two_scales", "rate": 0.3, "bias": 0.5}, hidden_size=12, num_steps=40)
    trace = ex.run(ex.Experiment(**settings | {"batch_size": 3} | change))
    W, U, b, d = (torch.tensor(trace.weights[n]) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    x, v = torch.tensor(trace.inputs), torch.tensor(trace.readout)
    s, h = (torch.tensor(trace.states[n][0].copy(), requires_grad=True) for n in ("s", "h"))
    path = {"s": [s], "h": [h]}
    for x_t in x:
        fast = torch.tanh(x_t @ W.T + b + h @ U.T + d)
        s = 0.7 * s + 0.3 * fast
        h = 0.5 * (fast + s)
        path["s"].append(s)
        path["h"].append(h)
    loss = sum(w * (path["h"][t] @ v).sum() for t, w in enumerate(trace.loss_weights) if w)
    for name, states in path.items():
        grads = torch.autograd.grad(loss, states, retain_graph=True)
        for t, (state, grad) in enumerate(zip(states, grads)):
            ours = np.ldexp(trace.backward.totals[name][t], trace.backward.exponents[t]).T
            size = float(grad.norm())
            assert np.linalg.norm(ours - grad.numpy()) <= 1e-10 * size, (name, t, size)
            assert np.allclose(trace.states[name][t], state.detach().numpy(), rtol=1e-10, atol=1e-12)
        exact = np.log10([g.norm(dim=1).numpy() for g in grads])
        assert np.abs(ex.gradient_norms(trace, name) - exact).max() < 1e-10
"""


def test_gradients_are_those_of_an_autograd_loop(copy: Copy) -> None:
    copy.python(GRADIENTS)


EVERYWHERE = """
import numpy as np
from pydantic import ValidationError
import explorer as ex
from explorer.app.measured import measure, measure_spectra
from explorer.link import describe_change
from explorer.sweep import knob_range, knobs

experiment = ex.Experiment().changed("cell", "two_scales").changed("cell.rate", 0.25)
assert ex.Experiment.from_url(experiment.to_url()) == (experiment, [])
assert "two time scales" in describe_change(ex.Experiment(), experiment)
_, (sentence,) = ex.Experiment.from_url("cell=two_scales&cell.rate=2")
assert "0.0 to 1.0" in sentence or "0 to 1" in sentence, sentence
try:
    experiment.changed("cell.rate", 2.0)
except ValidationError as error:
    assert "rate" in str(error)
else:
    raise SystemExit("a rate of 2 is let through")
small = experiment.changed("hidden_size", 8).changed("num_steps", 20)
assert set(knobs(small)) == {"weight_scale", "input_scale", "bias_scale", "cell.bias"}
for knob, value in (("weight_scale", 1.5), ("cell.bias", -0.7)):
    alone = ex.gradient_norms(ex.run(small.changed(knob, value)))
    assert np.abs(knob_range(small, knob, np.array([0.5, value])).norms["h"][1] - alone).max() < 1e-10
found = measure(ex.run(small))
assert np.isfinite(measure_spectra(ex.run(small), 0).spectrum).all()
assert found.bound is None and found.theory is None
book = found.ledger
assert np.allclose(book.slope + book.matrix + book.loss, book.norms[:-1] - book.norms[1:], atol=1e-10)
"""


def test_experiment_link_sweep_and_measures_know_the_cell(copy: Copy) -> None:
    copy.python(EVERYWHERE)


CONTROLS = """
from streamlit.testing.v1 import AppTest

at = AppTest.from_file("dashboard.py", default_timeout=60)
at.query_params = {"cell": "two_scales", "hidden_size": "4", "num_steps": "8", "batch_size": "2"}
at.run()
assert at.session_state["experiment"].cell.kind == "two_scales"
labels = {slider.key: slider.label for slider in at.slider}
assert labels["setting:cell.rate"] == "rate ε" and labels["setting:cell.bias"] == "bias"
assert "two time scales" in next(box for box in at.selectbox if box.key == "setting:cell").options
next(slider for slider in at.slider if slider.key == "setting:cell.rate").set_value(0.4).run()
assert at.session_state["experiment"].cell.rate == 0.4
assert at.query_params["cell.rate"] == ["0.4"] or at.query_params["cell.rate"] == "0.4"
"""


def test_the_controls_have_the_cell(copy: Copy) -> None:
    copy.python(CONTROLS)


def test_the_cells_own_tests_pass_as_far_as_the_document_says(copy: Copy) -> None:
    wanted = ["test_the_fast_step_is_the_core", "test_every_cell_is_consistent"]
    if "def partials" in (copy.folder / CELL_FILE).read_text("utf-8"):
        wanted.append("test_partials_are_autograds")
    names = [f"tests/cells/test_cells.py::{name}" for name in wanted]
    options = ["-q", "-p", "no:cacheprovider", "-k", "two_scales", *names]
    said = copy.python(f"import pytest; assert pytest.main({options}) == 0")
    assert " passed" in said and "failed" not in said


PAGE = """
import explorer as ex
from explorer.lessons.equations import derivation
from explorer.measures import verdict
from explorer.verify import verify
from streamlit.testing.v1 import AppTest

settings = {"cell": "two_scales", "hidden_size": "8", "num_steps": "20", "batch_size": "2"}
for more in ({}, {"initializer": "identity", "weight_scale": "0"}, {"loss": "every", "weight_scale": "3"}):
    at = AppTest.from_file("dashboard.py", default_timeout=60)
    at.query_params = settings | more
    at.run()
    assert not at.exception, at.exception
    assert not at.error, at.error
    trace = ex.run(at.session_state["experiment"])
    assert any("varepsilon" in step.latex for step in derivation(trace, 4))
    found = verify(trace)
    assert found.passed, found.text
    assert "equations were taken from the cell itself" in found.text
    trace.backward.totals["s"][3] *= 1 + 1e-6  # an engine that is wrong in the new state only
    assert not verify(trace).passed

# Without a matrix the slow part alone remembers, and forgets half at every step.
sinking = ex.Experiment(cell={"kind": "two_scales", "rate": 0.5}, num_steps=50, weight_scale=0.0)
found = verdict(ex.run(sinking))
assert found.tone == "vanishes" and abs(found.decades / 50 - 0.301) < 0.01, found
"""


def test_the_whole_page_works(copy: Copy) -> None:
    copy.python(PAGE)
