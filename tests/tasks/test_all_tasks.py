"""What holds for every task: shapes, types, the same numbers for the same seed, baselines, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from explorer.tasks import TASKS, AnyTask, Baseline, CharacterText, Copy, SequentialDigits, Task
from tests.strategies import groups

KINDS = sorted(TASKS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shortest(task: Task) -> int:
    """The smallest T that the task takes by its definition, found without asking the task."""
    return {"order": 10, "digits": 8, "copy": 2 * getattr(task, "length", 0) + 1}.get(task.kind, 2)


@st.composite
def posed(draw: st.DrawFn) -> tuple[Task, int]:
    """Any task with a length that it takes; both ends come often."""
    task = draw(st.one_of([groups(option) for _, option in TASKS.values()]))
    if task.kind == "text" and task.source == "own":
        num_steps = draw(st.integers(2, 20))
        size = st.integers(2 * (num_steps + 1), 300)
        return task.model_copy(update={"own": "ab c" * draw(size)}), num_steps
    ends = st.sampled_from([shortest(task), 1000])
    return task, draw(ends | st.integers(shortest(task), 150))


def expected_input_size(task: Task) -> int:
    return {
        "latch": lambda: task.symbols,
        "adding": lambda: 2,
        "order": lambda: 8,
        "copy": lambda: task.symbols + 2,
        "digits": lambda: 1,
        "text": lambda: len(set(task.own)) if task.source == "own" else 73,
    }[task.kind]()


@given(posed(), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=60)
def test_shapes_types_and_determinism(case, batch_size, seed):
    task, num_steps = case
    batch = task.batch(rng(seed), num_steps, batch_size)
    steps, outputs = task.read_steps(num_steps), task.output_size
    assert batch.inputs.shape == (num_steps, batch_size, expected_input_size(task))
    assert task.input_size == expected_input_size(task)
    assert batch.inputs.dtype == np.float64
    assert np.isfinite(batch.inputs).all()
    assert batch.targets.shape == (steps, batch_size)
    assert 1 <= steps <= num_steps
    if task.output == "classes":
        assert batch.targets.dtype == np.int64
        assert batch.targets.min() >= 0
        assert batch.targets.max() < outputs
        assert task.measure == "accuracy"
    else:
        assert batch.targets.dtype == np.float64
        assert outputs == 1
        assert task.measure == "mean squared error"
    again = task.batch(rng(seed), num_steps, batch_size)
    assert np.array_equal(batch.inputs, again.inputs)
    assert np.array_equal(batch.targets, again.targets)


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_other_sequences(kind):
    task = TASKS[kind][1]()
    one, two = (task.batch(rng(seed), 64, 16).inputs for seed in (0, 1))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_is_read_by_its_kind(kind):
    task = TypeAdapter(AnyTask).validate_python({"kind": kind})
    assert type(task) is TASKS[kind][1]
    assert type(task)().kind == kind
    with pytest.raises(ValidationError, match="speed"):
        TypeAdapter(AnyTask).validate_python({"kind": kind, "speed": 3})


def best_constant(task: Task, train: np.ndarray) -> np.ndarray:
    """Logits, or a number, of the best answer that reads nothing, found from training targets."""
    if task.output == "number":
        return np.array([train.mean()])
    counts = np.bincount(train.ravel(), minlength=task.output_size)
    return np.log((counts + 1) / (train.size + task.output_size))


def losses(task: Task, answer: np.ndarray, targets: np.ndarray) -> np.ndarray:
    if task.output == "number":
        return np.square(answer[0] - targets)
    return -(answer - np.log(np.exp(answer).sum()))[targets]


@pytest.mark.parametrize("kind", KINDS)
def test_the_baseline_is_what_the_best_constant_answer_reaches(kind):
    """Estimated from 4000 training sequences; the rest is the sampling error of estimate and mean."""
    task, num_steps = TASKS[kind][1](), 40
    train = task.batch(rng(1), num_steps, 4000 if kind != "text" else 400).targets
    held_out = task.held_out(num_steps, 10_000)
    test = task.batch(rng(2), num_steps, 4000).targets if held_out is None else held_out.targets
    answer, baseline = best_constant(task, train), task.baseline(num_steps)
    each = losses(task, answer, test)
    assert each.mean() == pytest.approx(baseline.loss, abs=4 * each.std() / test.size**0.5 + 0.003)
    outputs = np.broadcast_to(answer, (*test.shape, task.output_size))
    spread = max(each.std(), 0.5) if task.output == "number" else 0.5
    assert task.score(outputs, test) == pytest.approx(baseline.score, abs=4 * spread / test.size**0.5)
    assert baseline.said.endswith(".")


@pytest.mark.parametrize(
    ("kind", "loss", "score"),
    [
        ("latch", np.log(2), 1 / 2),
        ("adding", 1 / 6, 1 / 6),
        ("order", np.log(4), 1 / 4),
        ("copy", np.log(8), 1 / 8),
    ],
)
def test_baselines_in_closed_form(kind, loss, score):
    baseline = TASKS[kind][1]().baseline(100)
    assert isinstance(baseline, Baseline)
    assert (baseline.loss, baseline.score) == pytest.approx((loss, score), rel=1e-15)


def test_only_real_data_has_a_held_out_part():
    assert [kind for kind in KINDS if TASKS[kind][1]().held_out(64, 5) is not None] == ["digits", "text"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_steps", [-1, 0, 1, 1001])
def test_lengths_beyond_the_range_are_refused(kind, num_steps):
    task = TASKS[kind][1]()
    lowest, highest = task.lengths
    words = rf"num_steps is {num_steps}; the task '{kind}' takes {lowest} to {highest}"
    for call in (task.check, task.baseline, lambda steps: task.batch(rng(), steps, 4)):
        with pytest.raises(ValueError, match=words):
            call(num_steps)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_without_a_sequence_are_refused(kind):
    with pytest.raises(ValueError, match="batch_size is 0; it must be at least 1"):
        TASKS[kind][1]().batch(rng(), 64, 0)


@pytest.mark.parametrize("task", [SequentialDigits(), CharacterText()], ids=lambda task: task.kind)
def test_held_out_parts_of_a_wrong_size_are_refused(task):
    with pytest.raises(ValueError, match="batch_size is 0"):
        task.held_out(64, 0)
    with pytest.raises(ValueError, match="num_steps is 1001"):
        task.held_out(1001, 4)


def test_copying_takes_a_delay():
    task = Copy(length=10)
    assert task.batch(rng(), 21, 2).inputs.shape == (21, 2, 10)
    with pytest.raises(ValueError, match=r"num_steps is 20; copying length=10 symbols takes at least 21"):
        task.batch(rng(), 20, 2)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [("latch", "symbols", 1), ("latch", "noise", -1), ("order", "relevant", 4), ("copy", "length", 0)],
)
def test_bad_fields_are_named(kind, field, value):
    with pytest.raises(ValidationError, match=field):
        TASKS[kind][1](**{field: value})


def test_accuracy_counts_every_answer():
    task = Copy(symbols=3, length=2)
    outputs = np.array([[[3, 1, 2], [0, 5, 1]], [[0, 0, 9], [1, 2, 3]]], dtype=float)
    assert task.score(outputs, np.array([[0, 1], [2, 0]])) == 0.75
    with pytest.raises(ValueError, match=r"outputs have shape \(2, 2, 3\), but .* need \(1, 2, 3\)"):
        task.score(outputs, np.array([[0, 1]]))


def test_the_squared_error_is_a_mean():
    task = TASKS["adding"][1]()
    assert task.score(np.array([[[1.0], [0.5]]]), np.array([[0.0, 1.5]])) == 1.0
