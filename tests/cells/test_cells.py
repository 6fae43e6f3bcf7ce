"""One step of every cell: the fast paths equal the equations, the derivatives equal autograd and mpmath."""

from functools import partial
from itertools import product

import mpmath as mp
import numpy as np
import pytest

from explorer.cells import CELLS
from explorer.cells.cell import MESSAGE, Cell, Partials
from explorer.engine.partials import partials_by_autograd
from explorer.link import choices_of

H, B = 5, 4
FUNCTIONS = {
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "hard_sigmoid": lambda a: min(max(a / 6 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1)),
    "hard_sigmoid_keras": lambda a: min(max(a / 5 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1)),
    "tanh": mp.tanh,
    "softsign": lambda a: a / (1 + abs(a)),
    "relu": lambda a: max(a, mp.mpf(0)),
    "linear": lambda a: a,
}


def conventions() -> list[Cell]:
    """Every cell in every combination of its choices, but with one activation changed at a time.

    Without those that the engine runs by their core only.
    """
    found = []
    for _, option in CELLS.values():
        choices = {
            name: choices_of(field)
            for name, field in option.model_fields.items()
            if name != "kind" and choices_of(field)
        }
        functions = {name: choices.pop(name) for name in list(choices) if name.endswith("_activation")}
        found += [option(**dict(zip(choices, picked, strict=True))) for picked in product(*choices.values())]
        found += [
            option(**{name: value})
            for name, values in functions.items()
            for value in values
            if value != option.model_fields[name].default
        ]
    return [cell for cell in found if not (cell.vectors or cell.schedule(H, 1))]


def label(cell: Cell) -> str:
    """The kind and what is no default."""
    fields = type(cell).model_fields
    return "-".join(
        [cell.kind, *(f"{name}={value}" for name, value in cell if value != fields[name].default)]
    )


def sizes(cell: Cell) -> tuple[float, ...]:
    """Below 2 cells may take a shorter way; beyond 25 the tanh of a double is exactly 1."""
    return (0.3, 1.9, 6.0, 20.0, 60.0) if getattr(cell, "is_standard", True) else (1.9, 20.0)


ALL = pytest.mark.parametrize(
    ("cell", "size"),
    [
        pytest.param(cell, size, id=f"{label(cell)}-{size:g}")
        for cell in conventions()
        for size in sizes(cell)
    ],
)


def random_steps(cell: Cell, size: float, steps: int = 3):
    """Slots with |a| up to ``size``, gates, previous (random) and new states of independent steps."""
    rng = np.random.default_rng(int(10 * size))
    slots = rng.uniform(-size, size, (steps, len(cell.wiring()), H, B))
    previous = {name: rng.uniform(-1, 1, (steps, H, B)) for name in cell.states}
    return slots, *stepped(cell.stepper, cell, slots, previous)


def stepped(stepper, cell: Cell, slots: np.ndarray, previous: dict[str, np.ndarray]):
    """Gates, previous and new states of independent steps."""
    gates = np.full((len(slots), len(cell.gates), H, B), np.nan)
    states = {name: np.full((len(slots) + 1, H, B), np.nan) for name in cell.states}
    new = {name: np.empty_like(array) for name, array in previous.items()}
    step = stepper(slots, gates, states)
    for t in range(len(slots)):
        for name, array in states.items():
            array[t] = previous[name][t]
        step(t)
        for name, array in states.items():
            new[name][t] = array[t + 1]
    cell.refine(slots, gates)
    return gates, previous, new


@ALL
def test_the_fast_step_is_the_core(cell, size):
    slots, gates, previous, new = random_steps(cell, size)
    plain_gates, _, plain_new = stepped(partial(Cell.stepper, cell), cell, slots, previous)
    assert np.allclose(gates, plain_gates, rtol=1e-12, atol=0)
    for name, array in plain_new.items():
        assert np.allclose(new[name], array, rtol=1e-12, atol=1e-15), name


def dense(cell: Cell, partials: Partials, shape: tuple[int, ...]) -> dict[tuple[str, str], np.ndarray]:
    """Every derivative by (what, with respect to what) with the exponents put back."""
    slots = [slot.name for slot in cell.wiring()]
    found: dict[tuple[str, str], np.ndarray] = {}
    for state in cell.states:
        found |= {(state, f"slot {name}"): np.zeros(shape) for name in slots}
    for state, where, slope in partials.slots:
        if partials.exponent is not None:
            slope = np.ldexp(slope.astype(np.float64), partials.exponent[:, None].astype(np.int64))
        for offset, k in enumerate(range(where.start, where.stop)):
            found[state, f"slot {slots[k]}"] += slope[:, offset]
    found |= {(state, f"previous {name}"): slope for (state, name), slope in partials.carry.items()}
    found |= {(state, f"new {name}"): slope for (state, name), slope in partials.within.items()}
    found |= {("message", f"slot {name}"): slope for name, slope in partials.message_slots.items()}
    return found | {("message", f"previous {name}"): slope for name, slope in partials.message_carry.items()}


@ALL
def test_partials_are_autograds(cell, size):
    slots, gates, previous, new = random_steps(cell, size)
    own = cell.partials(slots, gates, previous, new)
    assert own is not None
    found = dense(cell, own, new["h"].shape)
    expected = dense(cell, partials_by_autograd(cell, slots, previous), new["h"].shape)
    assert set(found) == set(expected)
    for key, slope in expected.items():
        assert np.allclose(found[key], slope, rtol=1e-12, atol=1e-12), key


def exact_step(cell: Cell, slots: dict, previous: dict) -> dict[str, mp.mpf]:
    """The textbook equations for single numbers in mpmath: new states and message."""
    if cell.kind == "rnn":
        return {"h": FUNCTIONS[cell.activation](slots["hidden"])}
    if cell.kind in ("lstm", "coupled", "ablated"):
        return exact_memory(cell, slots, previous)
    if cell.kind in ("residual", "antisymmetric", "echo"):
        return {"h": exact_integration(cell, slots["hidden"], previous["h"])}
    if cell.kind == "mgu":
        f, n = FUNCTIONS["sigmoid"](slots["forget"]), mp.tanh(slots["new_input"] + slots["new_hidden"])
        return {"h": (1 - f) * previous["h"] + f * n, "message": f * previous["h"]}
    r, z = chosen(cell, "reset")(slots["reset"]), chosen(cell, "update")(slots["update"])
    n = (r if cell.reset == "after" else 1) * slots["new_hidden"]
    n = chosen(cell, "candidate", "tanh")(slots["new_input"] + n)
    keep = z if cell.update == "keeps" else 1 - z
    return {"h": (1 - keep) * n + keep * previous["h"], "message": r * previous["h"]}


def chosen(cell: Cell, what: str, default: str = "sigmoid"):
    """The activation that a field names."""
    return FUNCTIONS[getattr(cell, f"{what}_activation", default)]


def exact_memory(cell: Cell, slots: dict, previous: dict) -> dict[str, mp.mpf]:
    """The LSTM and its siblings; ``slots`` may hold the c that h is computed from."""
    missing = getattr(cell, "without", "")
    i, f, o = (
        mp.mpf(1) if missing == f"{gate}_gate" or gate not in slots else chosen(cell, gate)(slots[gate])
        for gate in ("input", "forget", "output")
    )
    if cell.kind == "coupled":
        f = 1 - i
    g = slots["cell"] if missing == "input_activation" else chosen(cell, "candidate", "tanh")(slots["cell"])
    c = f * previous["c"] + i * g
    seen = slots.get("c", c)
    shown = seen if missing == "output_activation" else chosen(cell, "cell", "tanh")(seen)
    return {"c": c, "h": o * shown}


def exact_integration(cell: Cell, a: mp.mpf, h: mp.mpf) -> mp.mpf:
    """One step of the cells that add to the old state."""
    if cell.kind == "residual":
        return h + mp.mpf(cell.step_size) * FUNCTIONS[cell.activation](a)
    if cell.kind == "antisymmetric":
        return h + mp.mpf(cell.step_size) * mp.tanh(a - mp.mpf(cell.diffusion) * h)
    return mp.mpf(1 - cell.leak_rate) * h + mp.mpf(cell.leak_rate) * mp.tanh(a)


@ALL
def test_partials_of_saturated_units_keep_their_digits(cell, size):
    """Relative error against 250-digit differences, unit by unit: 1 - h² would be exactly 0 here."""
    slots, gates, previous, new = random_steps(cell, size, steps=1)
    found = dense(cell, cell.partials(slots, gates, previous, new), new["h"].shape)
    names = [slot.name for slot in cell.wiring()]
    with mp.workdps(250):
        tiny = mp.mpf(10) ** -100
        for unit, sample in [(0, 0), (4, 3)]:
            at = (0, unit, sample)
            point = {name: mp.mpf(float(slots[0, k, unit, sample])) for k, name in enumerate(names)}
            before = {name: mp.mpf(float(array[at])) for name, array in previous.items()}
            # Derivatives of h hold the c of this step fixed, as the float c that was recorded.
            held = point | ({"c": mp.mpf(float(new["c"][at]))} if "c" in new else {})
            for (what, source), slope in found.items():
                group, _, name = source.partition(" ")
                start = held if what == "h" else point
                moved, moved_before = dict(start), dict(before)
                if group == "previous":
                    moved_before[name] += tiny
                else:
                    moved[name] += tiny
                if group == "new":
                    moved["c"] = start["c"] + tiny
                change = exact_step(cell, moved, moved_before)[what] - exact_step(cell, start, before)[what]
                exact = change / tiny
                # A difference of two known numbers, such as h - n, can lose the digits that it has not got.
                error = abs(mp.mpf(float(slope[at])) - exact)
                assert error <= 1e-12 * abs(exact), (what, source, mp.nstr(exact, 5), float(slope[at]))


@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_is_consistent(kind):
    cell = CELLS[kind][1]()
    assert cell.kind == kind
    assert cell.states[-1] == "h"
    assert {slot.block for slot in type(cell).slots} == set(range(cell.blocks))
    assert {slot.block for slot in cell.wiring()} <= set(range(cell.blocks))
    assert set(cell.bias_offsets()) <= set(range(cell.blocks))
    reads_message = [MESSAGE in slot.reads for slot in cell.wiring()]
    assert reads_message == sorted(reads_message)  # slots that read the message come last
    assert type(cell).__doc__.count("math::") == 1
