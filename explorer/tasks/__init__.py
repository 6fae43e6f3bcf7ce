"""Tasks that recurrent networks are trained on: batches, targets and what chance reaches."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from explorer.tasks.adding import Adding
from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.copying import Copy
from explorer.tasks.digits import SequentialDigits
from explorer.tasks.latch import Latch
from explorer.tasks.order import TemporalOrder
from explorer.tasks.task import Task
from explorer.tasks.text import CharacterText

TASKS: dict[str, tuple[str, type[Task]]] = {
    "latch": ("latch", Latch),
    "adding": ("adding problem", Adding),
    "order": ("temporal order", TemporalOrder),
    "copy": ("copy", Copy),
    "digits": ("sequential digits", SequentialDigits),
    "text": ("character text", CharacterText),
}

# What a training recipe takes: one of the registered tasks, told apart by ``kind``.
if TYPE_CHECKING:
    AnyTask = Task
else:
    AnyTask = Annotated[reduce(or_, (task for _, task in TASKS.values())), Field(discriminator="kind")]

__all__ = [
    "TASKS",
    "Adding",
    "AnyTask",
    "Baseline",
    "Batch",
    "CharacterText",
    "Copy",
    "Latch",
    "SequentialDigits",
    "Task",
    "TemporalOrder",
]
