"""A prior that has something to say beside the widths of the modes: a Gaussian of the coefficients with a mean of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Tensor = torch.Tensor


@dataclass(frozen=True)
class Pull:
    """Adds c^T precision c - 2 slope c to the cost of coefficients c (size,): (c - mean)^T precision (c - mean) with slope =
    precision mean, but for a constant; precision (size, size), symmetric, may say nothing of some directions.

    Whoever has a prior - a network, another measurement - says it so; the solver does not ask where it is from.
    """

    slope: Tensor
    precision: Tensor

    @classmethod
    def towards(cls, mean: Tensor, precision: Tensor) -> Pull:
        """A Gaussian with this mean (size,)."""
        return cls(precision @ mean, precision)

    def of(self, which: NDArray[np.int64]) -> Pull:
        """That of some coefficients, the others left out of it."""
        at = torch.from_numpy(which)
        return Pull(self.slope[at], self.precision[at[:, None], at])

    def weaker(self, factor: float) -> Pull:
        """The same mean with variances `factor` times as large."""
        return Pull(self.slope / factor, self.precision / factor)
