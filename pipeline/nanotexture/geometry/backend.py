"""The one import of xrayutilities: quiet, and on one thread (a worker is one process with one thread)."""

import xrayutilities

xrayutilities.config.VERBOSITY = 0  # it prints to stdout, which belongs to --json
xrayutilities.config.NTHREADS = 1

__all__ = ["xrayutilities"]
