"""The sections of the page Attention; each has ``side_bar()`` for its choices and ``picture()``."""

from __future__ import annotations

from types import ModuleType

from explorer.app.attention import gradient_map, memory, objectives, one_score, training, wirings

SECTIONS: dict[str, ModuleType] = {
    "map": gradient_map,
    "score": one_score,
    "training": training,
    "objectives": objectives,
    "memory": memory,
    "wirings": wirings,
}
