"""Gates that are held at a value: the text form of an intervention, and the masks that it stands for.

``forget=1``, ``forget=0@10-40``, ``input=0.5@7#3; output=0``: gate = value, then for which steps (1 … T, both
ends included) and for which unit (counted from 0); all of them unless said. Of two holds the later one wins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MOST = 20  # holds in one text
_HOLD = re.compile(r"([a-z_]+)\s*=\s*([^@#\s]+)\s*(?:@\s*(\d+)\s*(?:-\s*(\d+))?)?\s*(?:#\s*(\d+))?", re.ASCII)
Masks = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Hold:
    """One gate held at one value.

    Attributes:
        gate: its name, such as ``forget``.
        value: what it is held at.
        first, last: steps 1 … T, both included; None for all of them.
        unit: which unit, counted from 0; None for all.
    """

    gate: str
    value: float
    first: int | None = None
    last: int | None = None
    unit: int | None = None

    def __str__(self) -> str:
        text = f"{self.gate}={self.value:g}" if float(f"{self.value:g}") == self.value else ""
        text = text or f"{self.gate}={self.value!r}"
        if self.first is not None:
            text += f"@{self.first}" if self.first == self.last else f"@{self.first}-{self.last}"
        return text if self.unit is None else f"{text}#{self.unit}"


def parse_holds(text: str) -> tuple[Hold, ...]:
    """The holds of a text; raises ValueError with a sentence that names the part which cannot be read."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > MOST:
        raise ValueError(f"{len(parts)} gates are held; at most {MOST} are allowed")
    return tuple(_parse(part) for part in parts)


def _parse(part: str) -> Hold:
    shown = part if len(part) <= 40 else part[:39] + "…"
    found = _HOLD.fullmatch(part)
    if found is None:
        raise ValueError(f"{shown!r} is no hold; write gate=value@first-last#unit, such as forget=1@10-40")
    gate, number, first, last, unit = found.groups()
    try:
        value = float(number)
    except ValueError:
        raise ValueError(f"{shown!r} holds a gate at {number!r}, which is not a number") from None
    if not math.isfinite(value) or abs(value) > 10:
        raise ValueError(f"{shown!r} holds a gate at {number}; allowed are −10 to 10")
    start = None if first is None else int(first[:9])
    stop = start if last is None else int(last[:9])
    if start is not None and stop is not None and not 1 <= start <= stop:
        raise ValueError(f"{shown!r} holds no step: the first is 1, and the last must not come before it")
    return Hold(gate, value + 0.0, start, stop, None if unit is None else int(unit[:9]))


def format_holds(holds: Iterable[Hold]) -> str:
    """The text that ``parse_holds`` reads; "" for none."""
    return "; ".join(map(str, holds))


def hold_masks(
    holds: Iterable[Hold], gates: Sequence[str], num_steps: int, hidden_size: int
) -> tuple[Masks, list[str]]:
    """Gate → (where [T, H, 1], value [T, H, 1]), and a sentence for every hold that does not fit this run."""
    masks: Masks = {}
    notes = []
    for hold in holds:
        problem = _misfit(hold, gates, num_steps, hidden_size)
        if problem:
            notes.append(f"Held gate {hold}: {problem}.")
        if hold.gate not in gates or (hold.first or 1) > num_steps or (hold.unit or 0) >= hidden_size:
            continue
        shape = num_steps, hidden_size, 1
        where, value = masks.setdefault(hold.gate, (np.zeros(shape, bool), np.zeros(shape)))
        steps = slice((hold.first or 1) - 1, hold.last)
        units = slice(None) if hold.unit is None else slice(hold.unit, hold.unit + 1)
        where[steps, units], value[steps, units] = True, hold.value
    return masks, notes


def _misfit(hold: Hold, gates: Sequence[str], num_steps: int, hidden_size: int) -> str:
    """What of a hold this run has not got, or ""."""
    if hold.gate not in gates:
        known = f"its gates are {', '.join(gates)}" if gates else "it has no gates"
        return f"this cell has no gate {hold.gate}, {known}: nothing is held"
    if hold.unit is not None and hold.unit >= hidden_size:
        return f"there are the units 0 to {hidden_size - 1} only: nothing is held"
    if hold.first is not None and hold.first > num_steps:
        return f"the sequence ends at step {num_steps}: nothing is held"
    if hold.last is not None and hold.last > num_steps:
        return f"the sequence ends at step {num_steps}: it is held until then"
    return ""
