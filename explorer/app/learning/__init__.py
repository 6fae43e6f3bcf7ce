"""The sections of the page Learning; each has ``side_bar()`` for its choices and ``picture()``."""

from __future__ import annotations

from types import ModuleType

from explorer.app.learning import clipping, movie, race, text

SECTIONS: dict[str, ModuleType] = {
    "race": race,
    "movie": movie,
    "clipping": clipping,
    "text": text,
}
