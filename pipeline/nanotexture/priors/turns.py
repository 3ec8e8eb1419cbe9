"""The 48 ways of laying a cubic array: axes exchanged and mirrored about n // 2, where the peak is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch

_AXES = (0, 1, 2)


@dataclass(frozen=True)
class Turn:
    """Axes in their new order, then those that are mirrored; acts on the last three of a tensor."""

    order: tuple[int, ...]
    mirrored: tuple[int, ...]

    def there(self, x: torch.Tensor) -> torch.Tensor:
        """The array turned (..., n, n, n)."""
        return self._mirrored(_permuted(x, self.order))

    def back(self, x: torch.Tensor) -> torch.Tensor:
        """Inverse of `there`."""
        return _permuted(self._mirrored(x), tuple(self.order.index(axis) for axis in _AXES))

    def _mirrored(self, x: torch.Tensor) -> torch.Tensor:
        if not self.mirrored:
            return x
        axes = [x.ndim - 3 + axis for axis in self.mirrored]
        return x.flip(axes).roll([1] * len(axes), axes)


def _permuted(x: torch.Tensor, order: tuple[int, ...]) -> torch.Tensor:
    first = x.ndim - 3
    return x.permute(*range(first), *(first + axis for axis in order))


# the other orders of the axes before any mirror: a first few are as different as can be
TURNED = tuple(
    Turn(order, mirrored)
    for count in range(4)
    for mirrored in itertools.combinations(_AXES, count)
    for order in itertools.permutations(_AXES)
)
