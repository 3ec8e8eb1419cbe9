"""What the counts of an area detector are divided by or lessened by: a declared list, each with its formula.

A count is compared with what a pixel of full efficiency would count in the reference exposure: a voxel's intensity is
sum(count - ground) / sum(weight), the estimate of largest likelihood for Poisson counts. Weights multiply.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError, UserError
from nanotexture.geometry.goniometer import Vector, unit
from nanotexture.geometry.placement import Placement
from nanotexture.gridding.kernel import Worth
from nanotexture.quantities import Frames

Array = NDArray[np.float64]


class Correction(StrEnum):
    """Corrections that may be asked for; w is the weight of a count, g what is taken off it."""

    FLAT_FIELD = "flat_field"  # w = response of the pixel over the mean response
    MONITOR = "monitor"  # w = m_f / median(m); monitors count as long as the frame
    SECONDS = "seconds"  # w = t_f / median(t): where there is no monitor
    ATTENUATOR = "attenuator"  # w = 1 / A_f, A the factor from detected to incident counts
    SOLID_ANGLE = "solid_angle"  # w = cos^3(a), a between pixel and panel's normal: area cos(a) / distance^2
    # w = h (1 - (s.e)^2) + (1 - h) (1 - (s.v)^2), e and v across the beam, h share along e:
    # as in Schlepütz et al., J. Appl. Cryst. 44, 73 (2011)
    POLARIZATION = "polarization"
    # w = 1 / |e.(s x s0)|, e the axis of rotation: Kabsch, J. Appl. Cryst. 21, 916 (1988). Only for intensities summed
    # over a rotation; the mean over pixels that a map holds needs none, since every pixel measures at a point
    LORENTZ = "lorentz"
    DARK = "dark"  # g = d t_f, d in counts per second
    PEDESTAL = "pedestal"  # g = p, counts of a frame without light


# Those that need nothing but the header.
USUAL = frozenset({Correction.MONITOR, Correction.ATTENUATOR, Correction.SOLID_ANGLE})


@dataclass(frozen=True)
class Detector:
    """What the header does not say of a detector: flat field, dark (counts/s) and pedestal (counts), each (row, column).

    horizontal: share of the polarization along `polarization_axis`, a direction across the beam (0.5: none).
    """

    flat_field: Array | None = None
    dark: Array | None = None
    pedestal: Array | float | None = None
    horizontal: float = 1.0
    polarization_axis: str | Vector | None = None


IDEAL = Detector()


@dataclass(frozen=True)
class Reference:
    """Exposure that intensities are put to: monitor counts and seconds; NaN: the median of the scan's own frames."""

    monitor: float = float("nan")
    seconds: float = float("nan")


OWN = Reference()


def worth_of_frames(
    header: Frames,
    placement: Placement,
    corrections: Collection[Correction],
    detector: Detector = IDEAL,
    reference: Reference = OWN,
) -> Worth:
    """Weights and grounds of all frames of a scan; InputError where a correction lacks what it is made of."""
    asked, file = frozenset(corrections), placement.file
    if asked >= {Correction.MONITOR, Correction.SECONDS}:
        raise UserError(f"{file}: corrections: expected monitor or seconds, got both: a monitor counts time")
    shape = placement.directions.shape[:2]
    return Worth(
        pixel=_pixel(header, placement, asked, detector),
        frame=_frame(header, asked, reference, file),
        pedestal=_ground(asked, Correction.PEDESTAL, detector.pedestal, shape, file),
        dark=_ground(asked, Correction.DARK, detector.dark, shape, file),
        seconds=_known(header, "seconds", file) if Correction.DARK in asked else np.ones(placement.frames),
        forms=_forms(placement, asked, detector),
        asked=_asked(asked, detector, file),
        limits=np.array([-np.inf, _saturation(header)]),
    )


def worth_of_block(worth: Worth, start: int, stop: int) -> Worth:
    """The same for frames start to stop."""
    part = slice(start, stop)
    return worth._replace(
        frame=worth.frame[part], seconds=worth.seconds[part], forms=np.ascontiguousarray(worth.forms[part])
    )


def solid_angle(*, directions: Array, panel_normal: Array) -> Array:
    """Solid angle (row, column) of the pixels of a flat panel, over that of one seen head-on: cos(a)^3."""
    normal = panel_normal / np.linalg.norm(panel_normal)
    return np.asarray(np.abs(directions @ normal) ** 3)


def rotation_axes(placement: Placement) -> Array:
    """Axis (frame, 3) about which the sample turns between frames, laboratory axes: 0 where it does not.

    R = S[f + 1] S[f]^T; its antisymmetric part is the axis times the sine of the turn.
    """
    turns = _film_to_lab(placement)
    step = turns[1:] @ np.swapaxes(turns[:-1], 1, 2)
    axis = 0.5 * np.stack(
        [step[:, 2, 1] - step[:, 1, 2], step[:, 0, 2] - step[:, 2, 0], step[:, 1, 0] - step[:, 0, 1]], axis=-1
    )
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    found = np.where(length > 1e-9, axis / np.where(length > 1e-9, length, 1.0), 0.0)
    return np.concatenate([found, found[-1:]]) if len(found) else np.zeros((1, 3))


def _film_to_lab(placement: Placement) -> Array:
    """Rotations (frame, 3, 3): (M S^T)^T of the placement's K M S^T D."""
    lab_to_film = placement.matrix @ np.swapaxes(placement.detector_turn, 1, 2) / placement.wave_number
    return np.asarray(np.swapaxes(lab_to_film, 1, 2))


def _pixel(header: Frames, placement: Placement, asked: frozenset[Correction], detector: Detector) -> Array:
    weight = np.ones(placement.directions.shape[:2])
    if Correction.SOLID_ANGLE in asked:
        weight = solid_angle(directions=placement.directions, panel_normal=placement.panel_normal)
    if Correction.FLAT_FIELD in asked:
        flat = _array(detector.flat_field, Correction.FLAT_FIELD, weight.shape, placement.file)
        good = np.isfinite(flat) & (flat > 0) & (header["mask"].values == 0)
        if not good.any():
            raise InputError(placement.file, "flat_field", "a response above 0 of some pixel", "none")
        weight = weight * np.where(good, flat, 0.0) / flat[good].mean()
    return np.ascontiguousarray(np.where(header["mask"].values == 0, weight, 0.0))


def _frame(header: Frames, asked: frozenset[Correction], reference: Reference, file: str) -> Array:
    weight = np.ones(header["position"].shape[1])
    told = (
        (Correction.MONITOR, "monitor", reference.monitor),
        (Correction.SECONDS, "seconds", reference.seconds),
    )
    for correction, name, usual in told:
        if correction in asked:
            values = _known(header, name, file)
            weight = weight * values / (usual if np.isfinite(usual) else np.median(values))
    if Correction.ATTENUATOR in asked:
        weight = weight / _known(header, "attenuation", file)
    return weight


def _known(header: Frames, name: str, file: str) -> Array:
    values = np.asarray(header[name].values, dtype=np.float64)
    good = np.isfinite(values) & (values > 0)
    if not good.all():
        frame = int(np.argmin(good))
        raise InputError(file, name, "a number above 0 at every frame", f"{values[frame]:g} at frame {frame}")
    return values


def _ground(
    asked: frozenset[Correction],
    correction: Correction,
    told: Array | float | None,
    shape: tuple[int, ...],
    file: str,
) -> Array:
    if correction not in asked:
        return np.zeros(shape)
    return _array(told, correction, shape, file)


def _array(told: Array | float | None, name: str, shape: tuple[int, ...], file: str) -> Array:
    if told is None:
        raise InputError(file, name, "an array of rows and columns, or a number", "none")
    try:
        return np.array(np.broadcast_to(np.asarray(told, dtype=np.float64), shape))
    except ValueError as error:
        raise InputError(
            file, name, f"{shape} rows and columns as the frames", f"{np.shape(told)}"
        ) from error


def _forms(placement: Placement, asked: frozenset[Correction], detector: Detector) -> Array:
    """Rows e, v and beam x axis, turned back by the detector's circles: their products with directions are the laboratory's."""
    forms = np.zeros((placement.frames, 3, 3))
    beam = _beam(placement)
    if Correction.POLARIZATION in asked:
        forms[:, 0] = _polarization_axis(placement, detector, beam)
        forms[:, 1] = np.cross(beam, forms[:, 0])
    if Correction.LORENTZ in asked:
        axes = rotation_axes(placement)
        if not axes.any():
            raise InputError(placement.file, "lorentz", "a scan that turns the sample", "none")
        forms[:, 2] = np.cross(beam, axes)
    return np.ascontiguousarray(forms @ placement.detector_turn)


def _beam(placement: Placement) -> Array:
    return np.asarray(_film_to_lab(placement)[0] @ placement.offset[0] / placement.wave_number)


def _polarization_axis(placement: Placement, detector: Detector, beam: Array) -> Array:
    if detector.polarization_axis is None:
        raise InputError(placement.file, "polarization_axis", "a direction across the beam", "none")
    axis = unit(detector.polarization_axis)
    if abs(float(axis @ beam)) > 0.01:
        raise InputError(
            placement.file, "polarization_axis", "a direction across the beam", f"{axis.tolist()}"
        )
    return axis


def _asked(asked: frozenset[Correction], detector: Detector, file: str) -> Array:
    if not 0 <= detector.horizontal <= 1:
        raise InputError(file, "polarization", "a share of 0 to 1", f"{detector.horizontal:g}")
    share = detector.horizontal if Correction.POLARIZATION in asked else np.nan
    return np.array([share, float(Correction.LORENTZ in asked)])


def _saturation(header: Frames) -> float:
    told = float(header["saturation"])
    return told if np.isfinite(told) else np.inf
