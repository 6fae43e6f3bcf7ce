"""``python -m explorer``: what can be done without the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from explorer.sweep.command import add_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m explorer", description="Gradient Explorer without the page.")
    add_command(parser.add_subparsers(title="commands", required=True, metavar="command"))
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
