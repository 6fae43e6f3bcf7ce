"""Before and after in the section Race: links to the trained networks, files, and files that are none."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.learning.race_after import MOST, _file, loaded
from explorer.experiment import Experiment
from explorer.link import from_query
from explorer.stored_weights import stored_weights
from explorer.trace import run
from explorer.training.runs import Race
from explorer.training.training import Training

ROOT = Path(__file__).parents[2]
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = {"race_units": 4, "race_length": 10, "race_steps": 22, "race_batch": 4, "racers": "irnn,lstm-3"}


def open_page(opened: bool = True) -> AppTest:
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    at.session_state["race-after"] = opened
    at.query_params = {f"view.{name}": [str(value)] for name, value in TINY.items()}
    at.switch_page("explorer/app/pages/learning.py").run()
    assert not at.exception, at.exception
    return at


def rested() -> Race:
    race = cache.runs().of(OWNER)
    end = time.monotonic() + 60
    while race.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    return race


@pytest.fixture(scope="module")
def race() -> Race:
    """A tiny race with all its steps done; all tests share it."""
    open_page(opened=False).button(key="race:train").click().run()
    return rested()


@pytest.fixture
def training(race: Race) -> Training:
    return race.runs[1].training


def links(at: AppTest) -> list[tuple[str, dict[str, str]]]:
    """(label, query parameters) of every link to a page."""
    return [(item.proto.label, dict(parse_qsl(item.proto.query_string))) for item in at.get("page_link")]


def experiment_of(query: dict[str, str]) -> Experiment:
    pairs = {key: text for key, text in query.items() if key != "pin" and not key.startswith("view.")}
    found, problems = from_query("&".join(f"{key}={text}" for key, text in pairs.items()))
    assert not problems
    return found


def assert_trained(experiment: Experiment, training: Training) -> None:
    """Gradient flow runs with exactly the trained weights, and says so."""
    trace = run(experiment)
    cell = {name: array for name, array in training.weights().items() if "." not in name}
    assert set(trace.weights) == set(cell)
    for name, array in cell.items():
        np.testing.assert_array_equal(trace.weights[name], array)
    assert any("These are trained weights: Trained for 22 steps" in note for note in trace.notes)


def test_closed_it_costs_nothing(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.app.learning.race_after.experiment_after", None)
    at = open_page(opened=False)
    assert not links(at)
    assert not at.get("download_button")
    assert not at.file_uploader


def test_links_lead_to_the_network_before_and_after(race: Race) -> None:
    at = open_page()
    found = links(at)
    flow, gates = ["Gradient flow before", "Gradient flow after"], ["Gates after"]
    assert [label.removeprefix(":blue[").rstrip("]") for label, _ in found] == flow + flow + gates
    queries = [query for _, query in found]
    for query in queries:  # the race is still set up when one comes back
        assert query["view.race_units"] == "4"
        assert query["view.racers"] == "irnn,lstm-3"
    for one, before, after in ((race.runs[0], *queries[:2]), (race.runs[1], *queries[2:4])):
        assert_trained(experiment_of(after), one.training)
        untrained = experiment_of(before)
        assert untrained.trained == ""
        for name, array in one.training.weights(0).items():
            if "." not in name:
                np.testing.assert_allclose(run(untrained).weights[name], array, rtol=1e-6)
        pinned, problems = from_query(after["pin"])
        assert (pinned, problems) == (untrained, [])
    assert experiment_of(queries[4]) == experiment_of(queries[3])
    numbers = [text.value for text in at.markdown if "→" in text.value]
    assert len(numbers) == 2
    assert all("(step 22)" in text for text in numbers)


def test_gradient_flow_shows_the_trained_network(race: Race, training: Training) -> None:
    query = links(open_page())[3][1]
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    at.query_params = {key: [text] for key, text in query.items()}
    at.run()
    assert not at.exception, at.exception
    assert_trained(at.session_state["experiment"], training)
    assert any("These are trained weights" in text.value.replace("\\", "") for text in at.caption)
    assert not at.warning


def test_saved_weights_come_back(race: Race, training: Training) -> None:
    at = open_page()
    assert len(at.get("download_button")) == 2
    content = _file(training)
    at.file_uploader(key="race-after:load").set_value(("mine.safetensors", content, "")).run()
    assert not at.exception, at.exception
    assert not at.warning
    row = next(text.value for text in at.markdown if "mine" in text.value)
    assert "22 steps" in row
    assert "LSTM of 4 units" in row
    label, query = links(at)[-1]
    assert "Gates after" in label
    assert_trained(experiment_of(query), training)
    recipe, before, after, step = loaded("mine", content)
    assert (recipe, step) == (training.recipe, 22)
    assert before == experiment_of(links(at)[-3][1])
    stored = stored_weights(after.trained)
    assert stored is not None
    assert_trained(after, training)


def other_version(content: bytes) -> bytes:
    """The same file with the number of a later version in its header."""
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["version"] = "999"
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda content: b"", "no safetensors file, or is damaged"),
        (lambda content: b"hello", "no safetensors file, or is damaged"),
        (lambda content: content[:-40], "no safetensors file, or is damaged"),
        (lambda content: content[: len(content) // 2], "no safetensors file, or is damaged"),
        (other_version, "is of version 999"),
        (
            lambda content: content.replace(b"gradient-explorer weights", b"something-else    weights"),
            "holds no",
        ),
        (lambda content: content.replace(b"lstm", b"lsdm"), "holds a recipe that this program cannot read"),
        (lambda content: content.replace(b'"weight_hh"', b'"weight_xx"'), "is damaged"),
        (lambda content: bytes(MOST * 2**20 + 1), "larger than 20 MB"),
    ],
)
def test_files_that_are_none_are_named(training: Training, spoil, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        loaded("my file.bin", spoil(_file(training)))
    sentence = str(caught.value)
    assert sentence.startswith("my file.bin")
    assert "/tmp" not in sentence


def test_a_bad_upload_is_one_sentence_on_the_page(race: Race) -> None:
    at = open_page()
    at.file_uploader(key="race-after:load").set_value(("notes.txt", b"hello", "text/plain")).run()
    assert not at.exception, at.exception
    assert "notes.txt is no safetensors file" in at.warning[0].value.replace("\\", "")
    assert len(links(at)) == 5  # those of the race


def test_the_table_follows_when_the_race_is_rewound(race: Race) -> None:
    at = open_page()
    at.select_slider(key="race:rewind").set_value(6).run()
    rested()
    at.run()
    try:
        numbers = [text.value for text in at.markdown if "→" in text.value]
        assert numbers
        assert all("(step 6)" in text for text in numbers)
        for one in race.runs:
            assert one.training.step == 6
        assert "6 steps" in run(experiment_of(links(at)[1][1])).notes[0]
    finally:
        at.button(key="race:go").click().run()
        rested()
