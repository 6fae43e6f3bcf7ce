"""What README and docs say is so: links lead somewhere, code runs, targets exist, numbers are the code's."""

from __future__ import annotations

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from math import comb
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer import pool
from explorer.activations import ACTIVATIONS
from explorer.app import state, sweep_jobs, text_jobs
from explorer.cells import CELLS
from explorer.engine import backward, products
from explorer.experiment import Experiment
from explorer.figures.gradient import MAX_GHOSTS
from explorer.initializers import INITIALIZERS
from explorer.layouts import Layers
from explorer.lessons.architectures import ARCHITECTURES, MOST
from explorer.lessons.demonstrations import DEMONSTRATIONS
from explorer.lessons.presets import PRESETS
from explorer.link import bounds_of, field_paths
from explorer.trace import MEMORY_LIMIT, memory_needed
from explorer.training import runs
from tests.app.payload import median_of
from tests.test_architecture import MAX_PAGE_LINES

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in DOCS}
README, ARCHITECTURE = TEXT["README.md"], TEXT["docs/architecture.md"]
EVERY = pytest.mark.parametrize("name", TEXT)


def flat(text: str) -> str:
    """Without line breaks, which may stand inside any sentence."""
    return " ".join(text.split())


def anchors(text: str) -> set[str]:
    """GitHub's names of all headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def prose(text: str) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


# ---- links ----


@EVERY
def test_local_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(TEXT[name])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (folder / path).resolve() if path else ROOT / name
        assert found.is_file(), f"{name} links to {target}"
        assert found.is_relative_to(ROOT), f"{name} links out of the repository: {target}"
        if anchor:
            assert anchor in anchors(found.read_text("utf-8")), f"{name} links to {target}"


def test_all_documents_can_be_found_from_the_readme() -> None:
    for path in (ROOT / "docs").glob("*.md"):
        assert f"docs/{path.name}" in README


@EVERY
def test_files_that_are_named_exist(name: str) -> None:
    named = re.findall(
        r"`((?:explorer|tests|benchmarks|docs|\.streamlit)/[\w./\-]*)`", prose(TEXT[name])
    ) + re.findall(r"`(\w+\.(?:py|toml))`", README if name == "README.md" else "")
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_layout_of_the_readme_is_the_repositorys() -> None:
    layout = README.split("## What is where")[1].split("```")[1]
    for line in layout.splitlines():
        inside = line.startswith("  ")
        for path in re.findall(r"^\s*((?:[\w.]+/? )+)|;  ([\w.]+)", line):
            for name in "".join(path).split():
                if not name[0].isupper() and re.fullmatch(r"[\w.]+(/|\.py)", name):
                    assert (ROOT / ("explorer" if inside else ".") / name).exists(), name


def rows_below(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose head begins with these words."""
    (table,) = re.findall(rf"^\| {re.escape(head)}.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]


def test_the_layers_of_the_architecture_are_those_of_the_linter() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    layers = [re.findall(r"\w+", layer) for layer in contracts["layers"]["layers"]]
    there = {path.stem for path in (ROOT / "explorer").iterdir()}
    wanted = [{name for name in layer if name in there} for layer in layers]
    said = [set(re.findall(r"`(\w+)`", row[0])) for row in rows_below(ARCHITECTURE, "layer, from the top")]
    assert said == wanted


def test_every_page_has_a_section_and_a_picture() -> None:
    titles = re.findall(r'st\.Page\([^)]*?title="([^"]+)"', (ROOT / "dashboard.py").read_text("utf-8"))
    sections = re.findall(r"^### ([^:\n]+):", README, re.M)
    assert sections == titles
    assert len(titles) == 7 and "seven pages" in flat(README)
    spec = spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec is not None and spec.loader is not None
    screenshots = module_from_spec(spec)
    spec.loader.exec_module(screenshots)
    shown = re.findall(r'!\[The page "([^"]+)"[^]]*\]\(docs/images/([\w-]+)\.png\)', README)
    assert [title for title, _ in shown] == titles
    assert [name for _, name in shown] == list(screenshots.PICTURES)


def test_pictures_are_small_and_of_the_right_size() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert len(pictures) == README.count("docs/images/")
    for path in pictures:
        assert path.stat().st_size < 400_000, path.name
        with Image.open(path) as picture:
            assert picture.size == (1440, 900), path.name


# ---- code ----


def python_blocks() -> list[object]:
    """Blocks that are complete programs; those with a name belong to a test of their own."""
    return [
        pytest.param(code, id=f"{name}-{k}")
        for name, text in TEXT.items()
        for k, code in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S))
    ]


@pytest.mark.parametrize("code", python_blocks())
def test_python_blocks_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<block>", "exec"), {"__name__": "__main__"})


def test_the_page_of_adding_a_page_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python page\n(.*?)^```$", TEXT["docs/adding-a-page.md"], re.M | re.S)
    script = tmp_path / "alone.py"
    script.write_text(code.replace('key="alone"', 'key="flow"'), "utf-8")  # the key that median_of reads
    at = AppTest.from_file(str(script), default_timeout=60)
    at.query_params = {"cell": "lstm", "hidden_size": "4", "num_steps": "8"}
    at.run()
    assert not at.exception, at.exception
    assert len(median_of(at)) == 9
    assert {"setting:weight_scale", "setting:cell.forget_bias"} <= {slider.key for slider in at.slider}


# ---- make ----


@EVERY
def test_make_targets_and_variables_exist(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    calls = re.findall(r"`make ([^`]+)`", TEXT[name]) + re.findall(r"^make ([^#\n]+)", TEXT[name], re.M)
    for call in calls:
        words = re.sub(r'"[^"]*"', "", call).split()
        for word in words:
            variable, equals, _ = word.partition("=")
            wanted = rf"^{variable} \?=" if equals else rf"^(?:[\w-]+ )*{word}(?: [\w-]+)*:(?! export)"
            assert re.search(wanted, makefile, re.M), f"{name}: make {call}"


def test_python_version_and_requirements_are_as_said() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'requires-python = ">=3.11"' in project
    assert "Python 3.11 or newer" in README
    assert "https://download.pytorch.org/whl/cpu" in (ROOT / "Makefile").read_text("utf-8")


# ---- numbers ----


def test_memory_is_the_formula_of_the_readme() -> None:
    said = re.search(
        r"\(RNN ([\d, ]+); LSTM ([\d, ]+); GRU ([\d, ]+)\), K blocks of weights \(([\d, ]+)\)", flat(README)
    )
    assert said
    blocks = said.group(4).split(", ")
    for kind, numbers, k in zip(("rnn", "lstm", "gru"), said.groups()[:3], blocks, strict=True):
        slots, gates, states = map(int, numbers.split(", "))
        cell = CELLS[kind][1]()
        assert (slots, gates, states) == (len(cell.wiring()), len(cell.gates), len(cell.states))
        assert int(k) == cell.blocks
        e = Experiment(cell={"kind": kind}, signal={"kind": "noise", "channels": 4})
        T, B, H, I, K = e.num_steps, e.batch_size, e.hidden_size, 4, cell.blocks
        numbers_needed = T * B * (H * (slots + gates + 3 * states + 1) + 2 * I) + 3 * K * H * (H + I)
        assert memory_needed(e) == 8 * numbers_needed
        assert memory_needed(e.changed("dtype", "float32")) == 4 * numbers_needed
    assert f"{memory_needed(Experiment(cell={'kind': 'lstm'})) / 1e6:.0f} MB" in README
    assert MEMORY_LIMIT == 1e9
    assert "more than 1 GB" in flat(README)


def test_limits_are_the_codes() -> None:
    readme, architecture = flat(README), flat(ARCHITECTURE)
    assert f"{len(PRESETS)} settings" in readme
    assert f"{len(PRESETS)} presets" in flat(TEXT["CHANGELOG.md"])
    words = {4: "four"}
    assert f"up to {words[state.MAX_PINS]}" in readme
    assert state.MAX_PINS == MAX_GHOSTS
    assert f"undo ({state._MAX_UNDO} steps)" in readme
    assert f"at most {MAX_PAGE_LINES} lines" in flat(TEXT["docs/adding-a-page.md"])
    assert f"at most {pool.KEPT // 2**20} MB unused" in architecture
    assert products._LARGE == 2**15 and "2^15 entries and more" in architecture
    assert backward._SHORT == 4 and "at most four steps" in architecture


def test_what_can_be_chosen_is_counted_right() -> None:
    readme, changelog, science = flat(README), flat(TEXT["CHANGELOG.md"]), TEXT["docs/science.md"]
    assert f"one of {len(CELLS)} cells" in readme and f"{len(CELLS)} in all" in changelog
    for text, head in ((README, "cell | its own"), (science, "cell | step")):
        assert len(rows_below(text, head)) == len(CELLS)
    assert f"{len(DEMONSTRATIONS)} demonstrations" in readme
    assert f"{len(DEMONSTRATIONS)} demonstrations" in changelog
    for text in (readme, changelog):
        assert f"up to {MOST} of {len(ARCHITECTURES)}" in text
        low, high = bounds_of(Layers.model_fields["num_layers"]) or (0, 0)
        assert f"{low} to {high} layers" in text
    drawn = re.search(r"Initialisations: (.+?) of an exact", changelog)
    assert drawn and len(drawn.group(1).split(", ")) == len(INITIALIZERS)


def test_all_activations_are_named() -> None:
    names = {activation.label.split(" (")[0] for activation in ACTIVATIONS.values()}
    for text in (README, TEXT["CHANGELOG.md"]):
        assert all(name in flat(text) for name in names)


def test_the_lags_at_which_a_stacked_linear_gradient_is_largest() -> None:
    sizes = [0.9**k * comb(k + 2, 2) for k in range(100)]
    largest = [k for k, size in enumerate(sizes) if size == pytest.approx(max(sizes), rel=1e-12)]
    assert f"largest at lags {largest[0]} and {largest[1]}" in flat(TEXT["docs/science.md"])
    assert len(largest) == 2 and sizes[0] < sizes[1]


def test_caches_are_bounded_as_said() -> None:
    source = (ROOT / "explorer" / "app" / "cache.py").read_text("utf-8")
    bounds = {name: int(count) for count, name in re.findall(r"max_entries=(\d+)\)\s*def (\w+)", source)}
    assert "2.5 GB" in source
    for text in (README, ARCHITECTURE):
        assert "below about 2.5 GB" in flat(text)
    assert f"{bounds['_small_trace']} small traces and one large" in flat(README)
    assert bounds["_large_trace"] == 1
    for line in (
        f"| traces below 25 MB | {bounds['_small_trace']} |",
        f"| truth meter | {bounds['_verified']} |",
        f"| eigenvalues (they do not depend on the weight scale) | {bounds['_eigenvalues']} |",
        f"| ranges of a knob | {bounds['_swept']} |",
        f"| small arrays of all pages | {bounds['_remembered']} |",
        f"| sweeps of the phase diagram | {sweep_jobs.KEPT} |",
        f"| studies of text | {text_jobs.KEPT} |",
        f"| training processes | {runs.MOST} |",
    ):
        assert line in ARCHITECTURE
    unbounded = re.findall(r"@st\.cache_\w+\((?![^)]*max_entries)[^)]*\)\s*def (\w+)", source)
    assert unbounded == ["warm_up", "jobs", "text_jobs", "runs"]  # the last three bound themselves


def test_bounds_of_sliders_are_the_fields() -> None:
    said = re.search(r"H from (\d+) to (\d+), T from (\d+) to (\d+), B from (\d+) to (\d+)", flat(README))
    assert said
    fields = {path: field for path, _, field in field_paths(Experiment())}
    wanted = [bounds_of(fields[name]) for name in ("hidden_size", "num_steps", "batch_size")]
    numbers = [int(number) for number in said.groups()]
    assert [tuple(numbers[k : k + 2]) for k in (0, 2, 4)] == wanted


@EVERY
def test_nothing_speaks_of_one_machine(name: str) -> None:
    assert re.findall(r"/(?:work|home|root|tmp|Users)/", TEXT[name]) == []
