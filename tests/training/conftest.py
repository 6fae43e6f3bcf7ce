"""What the tests of training share: starting the process that makes workers takes seconds."""

from collections.abc import Iterator

import pytest

from explorer.training.nursery import Nursery
from explorer.training.runs import Runs


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="module")
def runs(nursery: Nursery) -> Iterator[Runs]:
    found = Runs(lambda owner: True, nursery=nursery)
    yield found
    found.close()
