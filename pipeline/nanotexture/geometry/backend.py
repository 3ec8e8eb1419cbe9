"""The one import of xrayutilities: quiet, on one thread (a worker is one process with one thread), when first used.

It brings plotting and fitting packages and takes over a second, which a command that only plans need not wait.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType


@cache
def backend() -> ModuleType:
    """xrayutilities with its settings made."""
    import xrayutilities

    xrayutilities.config.VERBOSITY = 0  # it prints to stdout, which belongs to --json
    xrayutilities.config.NTHREADS = 1
    return xrayutilities
