"""The sections of the page Decoding; each has ``side_bar()`` for its choices and ``picture()``."""

from __future__ import annotations

from types import ModuleType

from explorer.app.decoding import bleu, sampling, search

SECTIONS: dict[str, ModuleType] = {"search": search, "sampling": sampling, "bleu": bleu}
