"""What every reader of area detectors hands on: a labelled header, and pixels that stay on disk until asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from nanotexture.quantities import Frames


class Pixels(Protocol):
    """Raw counts of a scan, read block by block; an object of a few paths and numbers that travels to a worker."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the counts lie in."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Counts (stop - start, rows, columns) as recorded; InputError names the file that cannot be read."""


@dataclass(frozen=True)
class Request:
    """What a recipe may say about frames where a file leaves a choice; empty: the reader's own.

    motors: names of the circles; detector, monitor: names in the file; images: glob of a scan's images, beside the
    SPEC file, in which {scan} stands for the scan's number; look: how many frames are looked at for pixels that are
    dead, hot or excluded, 0 for none, which leaves the file's own mask.
    """

    motors: tuple[str, ...] = ()
    detector: str = ""
    monitor: str = ""
    images: str = ""
    look: int = 64


@dataclass(frozen=True)
class FrameScan:
    """One scan of an area detector: schema FRAMES beside its pixels."""

    header: Frames
    pixels: Pixels

    def first(self, frames: int) -> FrameScan:
        """The same of its first frames only."""
        header = Frames(self.header.isel(frame=slice(frames)))
        return FrameScan(header, _First(self.pixels, header.sizes["frame"]))


@dataclass(frozen=True)
class _First:
    """The first frames of a scan."""

    whole: Pixels
    frames: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.frames, *self.whole.shape[1:]

    @property
    def files(self) -> tuple[Path, ...]:
        return self.whole.files

    def read(self, start: int, stop: int) -> NDArray[Any]:
        if stop > self.frames:
            raise ValueError(f"frames {start} to {stop} of {self.frames}")
        return self.whole.read(start, stop)
