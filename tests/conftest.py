"""Settings of all tests."""

import os
import tempfile

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Trained weights that tests store are nobody's; servers and workers that tests start inherit it.
os.environ["GRADIENT_EXPLORER_HOME"] = tempfile.mkdtemp(prefix="gradient-explorer-tests-")
