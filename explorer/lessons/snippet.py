"""A few lines of Python that reproduce the page's main figure in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

from explorer.experiment import Experiment
from explorer.link import describe_change
from explorer.parameters import Parameters
from explorer.trace import MEMORY_LIMIT, memory_needed


def snippet(experiment: Experiment, pins: Sequence[Experiment] = (), samples: bool = False) -> str:
    """Source code that runs the experiment and draws its gradient norms; only non-defaults are named.

    Args:
        experiment: the present settings.
        pins: settings whose curves are drawn too, labelled by what they change, as on the page; those that
            are too large to run are left out there as well.
        samples: draw every sample of the present settings.
    """
    lines = ['    "this setting": trace,\n']
    taken = {"this setting"}
    for pinned in pins:
        if memory_needed(pinned) > MEMORY_LIMIT:
            continue
        base = label = html.escape(describe_change(experiment, pinned) or "same settings", quote=False)
        count = 1
        while label in taken:  # keys of a dict
            count += 1
            label = f"{base} ({count})"
        taken.add(label)
        lines.append(f"    {_quoted(label)}: ex.run({_call(pinned, '    ')}),\n")
    traces = '{"this setting": trace}' if len(lines) == 1 else "{\n" + "".join(lines) + "}"
    asked = ", samples=True" if samples else ""
    return (
        "import explorer as ex\n\n"
        f"experiment = {_call(experiment)}\n"
        "trace = ex.run(experiment)\n"
        'ex.gradient_norms(trace, "h")  # log10 of the norm of dL/dh_t, [T+1, B]\n'
        + (f"traces = {traces}\n" if len(lines) > 1 else "")
        + f"ex.plot_gradient_norms({'traces' if len(lines) > 1 else traces}{asked}).show()\n"
    )


def _call(experiment: Experiment, indent: str = "") -> str:
    """``ex.Experiment(…)`` with one line for every setting that is not a default."""
    default = Experiment()
    changed = {name: value for name, value in experiment if value != getattr(default, name)}
    arguments = "".join(f"{indent}    {name}={_source(value)},\n" for name, value in changed.items())
    return f"ex.Experiment(\n{arguments}{indent})" if changed else "ex.Experiment()"


def _quoted(text: str) -> str:
    """A string literal in double quotes where that needs no escapes."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


def _source(value: object) -> str:
    """A setting as Python source; of a group its kind and what differs from that kind's defaults."""
    if not isinstance(value, Parameters):
        return repr(value)
    fields = {"kind": value.model_dump()["kind"], **value.model_dump(exclude_defaults=True)}
    return "{" + ", ".join(f'"{name}": {field!r}' for name, field in fields.items()) + "}"
