"""Dark and white fields beside a SPEC file: pixels to mask, and how pixels respond."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.archive import Place
from nanotexture.readers.detector_image import is_image, read_image
from nanotexture.readers.spec_file import SpecScan

_DARK = re.compile(r"(?i)^dark[\w-]*$")
_WHITE = re.compile(r"(?i)^(white|flat)[\w-]*$")
WEAK = 0.1  # of the median response: below, a pixel is masked


@dataclass(frozen=True)
class Fields:
    """Mask and relative response (row, column) from the fields, None where there are none, and words on them."""

    mask: NDArray[np.bool_] | None = None
    response: NDArray[np.float64] | None = None
    attrs: dict[str, str | int] = field(default_factory=dict)


def read_fields(place: Place, names: Sequence[str], scan: SpecScan, shape: tuple[int, int]) -> Fields:
    """Fields named dark* and white* or flat* at the top of a place, cut to the scan's region of the detector.

    A pixel that counts in the dark is masked. Response is the white field over its median.
    """
    dark = _field(place, names, _DARK, scan, shape)
    white = _field(place, names, _WHITE, scan, shape)
    attrs: dict[str, str | int] = {}
    masks = []
    if dark is not None:
        masks.append(dark > 0)
        attrs["dark_field_pixels"] = int(np.count_nonzero(masks[-1]))
    response = None
    if white is not None:
        typical = np.median(white[white > 0]) if (white > 0).any() else 0.0
        if not typical > 0:
            raise InputError(scan.file, "white field", "counts above 0", "none")
        weak = ~(white > WEAK * typical)
        masks.append(weak)
        attrs["white_field_pixels"] = int(np.count_nonzero(weak))
        response = np.where(weak, 1.0, white / typical)
    return Fields(np.logical_or.reduce(masks) if masks else None, response, attrs)


def _field(
    place: Place, names: Sequence[str], pattern: re.Pattern[str], scan: SpecScan, shape: tuple[int, int]
) -> NDArray[np.float64] | None:
    top = [n for n in names if is_image(n) and "/" not in n and pattern.match(PurePosixPath(n).stem)]
    if not top:
        return None
    if len(top) > 1:
        raise InputError(scan.file, "fields", "one dark and one white field", ", ".join(top[:4]))
    where = place.where(top[0])
    with place.opened() as read:
        image = read_image(where, read(top[0])).astype(np.float64)
    if not np.isfinite(image).all():
        raise InputError(where, "image", "finite numbers", "NaN or infinity")
    return _cut(where, image, scan, shape)


def _cut(where: str, image: NDArray[Any], scan: SpecScan, shape: tuple[int, int]) -> NDArray[Any]:
    """The scan's region of a field: all of it, or the region of interest (#UIMR) that has the images' size."""
    if image.shape == shape:
        return image
    regions = {r for r in map(_region, scan.lines.items()) if r and (r[1], r[3]) == (shape[1], shape[0])}
    if len(regions) != 1:
        expected = f"{shape[0]} x {shape[1]} pixels as the images, or one region of that size in #UIMR"
        raise InputError(where, "image", expected, f"{image.shape[0]} x {image.shape[1]}")
    ((column, _, row, _),) = regions
    cut = image[row : row + shape[0], column : column + shape[1]]
    if cut.shape != shape:
        raise InputError(where, "image", f"pixels of region {column}, {row} of the scan", f"{image.shape}")
    return cut


def _region(line: tuple[str, str]) -> tuple[int, int, int, int] | None:
    """First column, columns, first row, rows of a line #UIMRn."""
    key, rest = line
    words = rest.split()[:4]
    if not re.fullmatch(r"UIMR\d+", key) or len(words) < 4 or not all(w.isdigit() for w in words):
        return None
    minx, sizex, miny, sizey = map(int, words)
    return minx, sizex, miny, sizey
