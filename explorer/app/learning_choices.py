"""Which section of the page Learning is open; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.parameters import Parameters, parameter


class Learning(Parameters):
    """Which section is open."""

    learning: Literal["race", "movie", "clipping", "text"] = parameter(
        "race",
        "learning",
        "Which question is asked.",
        names={
            "race": "Race",
            "movie": "Gradient movie",
            "clipping": "Clipping",
            "text": "Text, order and bags",
        },
    )
