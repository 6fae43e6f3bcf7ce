"""The sections of the page Regimes; each has ``side_bar()`` for its choices and ``picture()``."""

from __future__ import annotations

from types import ModuleType

from explorer.app.regimes import fixed, lyapunov, mean_field, non_normal, phase, tied

SECTIONS: dict[str, ModuleType] = {
    "phase": phase,
    "lyapunov": lyapunov,
    "mean_field": mean_field,
    "non_normal": non_normal,
    "tied": tied,
    "fixed": fixed,
}
