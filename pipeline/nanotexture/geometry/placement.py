"""Where every pixel of every frame looks: directions of one frame, and a rotation of them per frame.

q[frame, row, column] = matrix[frame] @ directions[row, column] - offset[frame], in the film's axes, 1/angstrom, with
matrix = K M S^T D and offset = K M S^T beam: S and D turn sample and detector, M takes the laboratory to the film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.geometry.chain import arm_of_chain
from nanotexture.geometry.declared import arm_of_goniometer, energy_of
from nanotexture.geometry.experiment import HC
from nanotexture.geometry.goniometer import Goniometer
from nanotexture.geometry.orientation import Lattice, Mounting, check_ub, film_axes
from nanotexture.quantities import Frames

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Placement:
    """Geometry of a scan: directions (row, column, 3) unit vectors from the sample, detector circles at zero.

    matrix (frame, 3, 3) and offset (frame, 3) as above; detector_turn (frame, 3, 3) D; panel_normal (3,) the panel's, circles
    at zero; ub (3, 3) hkl to q in the film's axes; wave_number K = 2 pi / lambda in 1/angstrom; file names the scan.
    """

    directions: Array
    matrix: Array
    offset: Array
    detector_turn: Array
    panel_normal: Array
    ub: Array
    wave_number: float
    file: str

    @property
    def frames(self) -> int:
        """How many frames."""
        return len(self.matrix)

    def q(self, frames: Integers | slice, rows: Integers | slice, columns: Integers | slice) -> Array:
        """q (..., 3) in 1/angstrom of pixels: all of some frames by slices, or one per entry of index arrays."""
        seen = self.directions[rows, columns]
        if isinstance(frames, slice):
            turned = np.einsum("fij,...j->f...i", self.matrix[frames], seen)
            shape = (-1,) + (1,) * (seen.ndim - 1) + (3,)
            return np.asarray(turned - self.offset[frames].reshape(shape))
        return np.asarray(np.einsum("nij,nj->ni", self.matrix[frames], seen) - self.offset[frames])


def place(
    header: Frames,
    goniometer: Goniometer | None,
    in_plane: Sequence[float],
    normal: Sequence[float],
    mounting: Mounting | Lattice | None = None,
) -> Placement:
    """Placement from the header's chains, or from a declared goniometer and the header's motors.

    in_plane, normal: hkl of the film's x and z. UB is the mounting's, else the header's, which a Lattice given in its place
    checks. InputError names the field where something is missing or cannot be.
    """
    file = str(header.attrs.get("file", "frames"))
    arm = arm_of_chain(header, file) if goniometer is None else arm_of_goniometer(header, goniometer, file)
    wave_number = 2 * np.pi * energy_of(header, goniometer, file) / HC
    ub = _ub(header, mounting, file)
    to_film = film_axes(ub, in_plane, normal)
    back = wave_number * to_film @ np.swapaxes(arm.sample_turn, 1, 2)
    return Placement(
        directions=arm.directions,
        matrix=back @ arm.detector_turn,
        offset=back @ arm.beam,
        detector_turn=arm.detector_turn,
        panel_normal=arm.panel_normal,
        ub=to_film @ ub,
        wave_number=wave_number,
        file=file,
    )


def hkl_of(placement: Placement, *, frames: Integers, rows: Integers, columns: Integers) -> Array:
    """hkl (pixel, 3) in the lattice of UB of pixels (rows, columns) at frames, index arrays of one length."""
    found = placement.q(np.asarray(frames), np.asarray(rows), np.asarray(columns))
    return np.asarray(np.linalg.solve(placement.ub, found.T).T)


def _ub(header: Frames, mounting: Mounting | Lattice | None, file: str) -> Array:
    if isinstance(mounting, Mounting):
        return check_ub(mounting.ub, mounting.lattice, file)
    if "ub" not in header:
        raise InputError(
            file, "ub", "a UB matrix, in the file or from a declared mounting of the crystal", "none"
        )
    return check_ub(header["ub"].values, mounting, file)
