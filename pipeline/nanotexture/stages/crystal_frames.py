"""Stage of one crystal measured with frames: sums over voxels about the peak to counts ready for phasing."""

from __future__ import annotations

import json

import numpy as np

from nanotexture.engine.stage import stage
from nanotexture.errors import UserError
from nanotexture.phasing.crystal_pattern import sampling_ratios
from nanotexture.preparation.crystal import (
    box_about_peak,
    one_exposure,
    refuse_peak,
    refuse_sampling,
    refuse_values,
)
from nanotexture.quantities import BlockSums, Diffraction, FrameGrid, Frames
from nanotexture.schema import DIFFRACTION, labelled
from nanotexture.stages.crystal import diffraction_of
from nanotexture.stages.crystal_models import CrystalFramesConfig
from nanotexture.stages.frames import FEWEST, dense_sums


@stage(version=1)
def crystal_of_frames(
    sums: BlockSums, first: Frames, grid: FrameGrid, *, config: CrystalFramesConfig
) -> Diffraction:
    """Counts in a box about the peak, each voxel's exposure, and Q of the peak; voxels without a pixel are not measured."""
    whole = dense_sums([sums], grid)
    found = whole.sums
    seen = (found.contributions >= FEWEST) & (found.weight > 0)
    file = first.attrs.get("file", "frames")
    if not seen.any():
        raise UserError(f"{file}: frames: expected a pixel within the ranges of the grid, found none")
    box = box_about_peak(found.counts / np.where(seen, found.weight, 1.0), seen, config.size)
    measured = seen[box]
    counts, exposure = one_exposure(found.counts[box], found.weight[box], measured)
    try:
        _refuse(counts, measured)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    axes = whole.grid.axes
    peak = [
        float(one.centres[cut.start + (cut.stop - cut.start) // 2])
        for one, cut in zip(axes, box, strict=True)
    ]
    made = diffraction_of(counts, measured, tuple(one.step for one in axes), tuple(peak), config)
    values = {str(name): made[name].values for name in made.variables} | {"exposure": exposure}
    return Diffraction(labelled(values, DIFFRACTION, made.attrs | {"peak": json.dumps(peak)}))


def _refuse(counts: np.ndarray, measured: np.ndarray) -> None:
    """UserError where a box about a peak cannot be phased."""
    if min(counts.shape) < 16:
        size = " x ".join(map(str, counts.shape))
        raise UserError(
            f"frames: expected 16 voxels or more about the peak along each axis, found {size}: smaller steps, wider ranges, or "
            "a scan that goes through the peak"
        )
    refuse_values(counts, measured)
    refuse_peak(counts, measured)
    refuse_sampling(sampling_ratios(counts=counts, measured=measured))
