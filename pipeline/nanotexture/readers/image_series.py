"""Which images belong to a scan, told from their names, and their pixels, read block by block."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import InputError
from nanotexture.readers.archive import Place
from nanotexture.readers.detector_image import is_image, read_image

_LAST_NUMBER = re.compile(r"(\d+)(?=\D*$)")
# A number that says of itself that it is a scan's: S021, S00006, scan_12, #12.
_SAID = re.compile(r"(?:(?<![A-Za-z])[sS](?:can|CAN)?[_-]?|#)0*(\d+)(?!\d)")
_PLACEHOLDER = re.compile(r"\{scan(?::0?(\d+)d?)?\}")


@dataclass(frozen=True)
class Series:
    """Images of one scan in the order of their numbers, and how many more there are than points."""

    names: tuple[str, ...]
    surplus: int


@dataclass(frozen=True)
class ImagePixels:
    """Pixels of a scan that is one image a frame, in a folder or a zip."""

    place: Place
    names: tuple[str, ...]
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return len(self.names), self.rows, self.columns

    @property
    def files(self) -> tuple[Path, ...]:
        """The zip, or every image."""
        return self.place.files(self.names)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Counts (stop - start, rows, columns) of images all of one shape; InputError names the image."""
        if not 0 <= start < stop <= len(self.names):
            raise ValueError(f"frames {start} to {stop} of {len(self.names)}")
        with self.place.opened() as read:
            images = [self._image(name, read(name)) for name in self.names[start:stop]]
        return np.stack(images)

    def _image(self, name: str, content: bytes) -> NDArray[Any]:
        image = read_image(self.place.where(name), content)
        if image.shape != (self.rows, self.columns):
            expected = f"{self.rows} x {self.columns} pixels as in the scan's first image"
            raise InputError(self.place.where(name), "image", expected, f"{image.shape}")
        return image


def find_series(path: Path, names: Sequence[str], *, scan: int, points: int, images: str) -> Series:
    """The images of a scan of so many points, of the names beside its SPEC file.

    By the glob `images`, or by the names themselves: the last number of a name is the frame's, the scan's is what
    stands behind an S or "scan" in the name, else in the folder's, else the number before the frame's. Images
    beyond the points are surplus; images that are missing are an error that names the first.
    """
    if images:
        groups = _grouped([n for n in names if is_image(n) and _matches(n, images, scan)])
        looked = f"images that match {_filled(images, scan)!r}"
    else:
        groups = _grouped([n for n in names if is_image(n) and _scan_of(n) == scan])
        looked = f"images of scan {scan}, with the scan's and the frame's number in their names"
    if not groups:
        seen = next((n for n in names if is_image(n)), "")
        raise InputError(path, "images", looked, f"none (there is {seen})" if seen else "no image at all")
    if len(groups) > 1:
        raise InputError(path, "images", f"one series of {looked}", " and ".join(sorted(groups)[:4]))
    (template, numbered), *_ = groups.items()
    return _complete(path, template, numbered, points)


def scans_with_images(names: Sequence[str]) -> set[int]:
    """Numbers of the scans that have images."""
    found = {_scan_of(name) for name in names if is_image(name)}
    return {scan for scan in found if scan is not None}


def _scan_of(name: str) -> int | None:
    """The scan's number in an image's name; None where there is none."""
    place = PurePosixPath(name)
    stem = _LAST_NUMBER.sub("", place.stem, count=1)
    if stem == place.stem:
        return None
    for text in (stem, place.parent.name):
        said = _SAID.findall(text)
        if said:
            return int(said[-1])
    rest = re.findall(r"\d+", stem) or re.findall(r"\d+", place.parent.name)
    return int(rest[-1]) if rest else None


def _filled(images: str, scan: int) -> str:
    return _PLACEHOLDER.sub(lambda match: f"{scan:0{match[1] or 1}d}", images)


def _matches(name: str, images: str, scan: int) -> bool:
    pattern = _filled(images, scan)
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(PurePosixPath(name).name, pattern)


def _grouped(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Names by what they share besides the frame's number."""
    groups: dict[str, dict[int, str]] = defaultdict(dict)
    for name in names:
        place = PurePosixPath(name)
        number = _LAST_NUMBER.search(place.stem)
        if number:
            stem = place.stem[: number.start()] + "*" + place.stem[number.end() :]
            group = groups[(place.parent / (stem + place.suffix)).as_posix()]
            if group.setdefault(int(number[1]), name) != name:
                raise InputError(name, "images", "each number once", group[int(number[1])])
    return dict(groups)


def _complete(path: Path, template: str, numbered: dict[int, str], points: int) -> Series:
    first = 0 if 0 in numbered else 1
    last = max(numbered)
    wanted = range(first, max(last + 1, first + points))
    if len(numbered) < len(wanted):
        missing = next(n for n in wanted if n not in numbered)
        width = len(template)
        shown = next(iter(numbered.values()))
        digits = len(shown) - width + 1
        lost = template.replace("*", f"{missing:0{max(digits, 1)}d}")
        found = f"{len(numbered)}, without {lost}"
        raise InputError(path, "images", f"{len(wanted)} images {template} without a gap", found)
    ordered = [numbered[n] for n in wanted]
    return Series(tuple(ordered[:points]), len(ordered) - points)
