"""One image of a detector (TIFF, EDF or CBF), whole or refused.

fabio decodes TIFF and the pixels of CBF. Headers are read here: fabio fills a truncated EDF with zeros, takes 16 bits
for a type it does not know, allocates whatever a damaged header says, and never returns from some CBF headers.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from fabio.compression import decByteOffset
from fabio.TiffIO import TiffIO
from numpy.typing import NDArray

from nanotexture.errors import InputError

IMAGE_SUFFIXES = (".tif", ".tiff", ".edf", ".cbf")
EDF_BLOCK = 512  # what headers, and by some writers pixels, are filled up to
_EDF_TYPES = {
    **{"signedbyte": "i1", "unsignedbyte": "u1", "signedshort": "i2", "unsignedshort": "u2"},
    **{"signedinteger": "i4", "unsignedinteger": "u4", "signedlong": "i4", "unsignedlong": "u4"},
    **{"signed64": "i8", "unsigned64": "u8", "float": "f4", "floatvalue": "f4", "double": "f8"},
    **{"doublevalue": "f8"},
}
HEAD = 8192  # bytes in which a text header stands


@dataclass(frozen=True)
class ImageHeader:
    """What the text header of a Pilatus or Eiger image says: mm, keV, counts, (row, column); None where nothing."""

    pixel_size: tuple[float, float] | None
    distance: float | None
    direct_beam: tuple[float, float] | None
    wavelength: float | None
    cutoff: float | None
    seconds: float | None


def is_image(name: str) -> bool:
    """Whether a name is that of an image."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def read_image(where: str, content: bytes) -> NDArray[Any]:
    """Counts (row, column) of a file's content, in the file's own type; InputError names what is wrong."""
    suffix = PurePosixPath(where).suffix.lower()
    reader = {".edf": _edf, ".cbf": _cbf}.get(suffix, _tiff)
    if not content:
        raise InputError(where, "file", "an image", "an empty file")
    try:
        with _quiet(), np.errstate(all="ignore"):
            image = reader(where, content)
    except InputError:
        raise
    except Exception as error:  # fabio raises anything on a damaged header, UnboundLocalError among it
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(where, "file", f"a complete {suffix[1:]} image", said) from error
    if image is None or image.ndim != 2 or image.size == 0 or image.dtype.kind not in "iuf":
        raise InputError(where, "image", "rows and columns of numbers", f"{getattr(image, 'shape', None)}")
    return np.asarray(image)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without fabio's warnings on private tags: what matters is raised."""
    logger = logging.getLogger(TiffIO.__module__)
    logger.addFilter(_nothing)
    try:
        yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _tiff(where: str, content: bytes) -> NDArray[Any]:
    file = TiffIO(io.BytesIO(content))
    if file.getNumberOfImages() != 1:
        raise InputError(where, "image", "one image in a file", f"{file.getNumberOfImages()}")
    info = file.getInfo(0)
    rows, columns, bits = info["nRows"], info["nColumns"], info["nBits"]
    if info["compression"] or not isinstance(bits, int) or info["colormap"] is not None:
        raise InputError(where, "image", "uncompressed grey levels", f"compression {info['compression']}")
    offsets, lengths = info["stripOffsets"], info["stripByteCounts"]
    if sum(lengths) != rows * columns * bits // 8 or len(offsets) != len(lengths):
        expected = f"{rows} x {columns} pixels of {bits} bits"
        raise InputError(where, "StripByteCounts", expected, f"{sum(lengths)} bytes")
    ends = [start + length for start, length in zip(offsets, lengths, strict=True)]
    if max(ends) > len(content) or min(offsets) < 8:
        raise InputError(where, "file", f"{max(ends)} bytes", f"{len(content)}: the file is truncated")
    return file.getImage(0)


def _edf(where: str, content: bytes) -> NDArray[Any]:
    """Pixels by what the header says and nothing else: fabio takes 16 bits for a type it cannot read."""
    end = content.find(b"}\n")
    entries = re.findall(rb"(\w+)\s*=\s*([^;]*?)\s*;", content[: max(end, 0)])
    header = {name.decode().lower(): value.decode("latin-1") for name, value in entries}
    if end < 0 or not content.lstrip().startswith(b"{"):
        raise InputError(where, "header", "an EDF header that ends", "none")
    kind = _EDF_TYPES.get(_entry(where, header, "DataType").lower())
    order = {"lowbytefirst": "<", "highbytefirst": ">"}.get(_entry(where, header, "ByteOrder").lower())
    if kind is None or order is None:
        found = f"{header['datatype']}, {header['byteorder']}"
        raise InputError(where, "DataType, ByteOrder", "integers or floats of a known order", found)
    if header.get("compression", "none").lower() not in ("none", "") or int(header.get("dim_3", "1")) != 1:
        raise InputError(where, "image", "one uncompressed image", "another layout")
    columns, rows = (int(_entry(where, header, f"Dim_{axis}")) for axis in (1, 2))
    size = rows * columns * np.dtype(kind).itemsize
    held = len(content) - (end + 2)
    if int(header.get("size", size)) != size or not size <= held < size + EDF_BLOCK:
        expected = f"{rows} x {columns} pixels of {header['datatype']} in {size} bytes"
        raise InputError(where, "file", expected, f"{held} bytes, Size = {header.get('size', 'nothing')}")
    return np.frombuffer(content, order + kind, rows * columns, end + 2).reshape(rows, columns)


def _entry(where: str, header: dict[str, str], name: str) -> str:
    if name.lower() not in header:
        raise InputError(where, "header", name, "nothing")
    return header[name.lower()]


def _cbf(where: str, content: bytes) -> NDArray[Any]:
    """Byte-offset pixels by fabio's decoder; its parser of the text before them never ends on some damaged ones."""
    start = content.find(b"\x0c\x1a\x04\xd5")
    if start < 0:
        raise InputError(where, "header", "a CBF header that ends", "none")
    head = content[:start]
    size, number = _declared(where, head, "Size"), _declared(where, head, "Number-of-Elements")
    rows = _declared(where, head, "Size-Second-Dimension")
    columns = _declared(where, head, "Size-Fastest-Dimension")
    packed = content[start + 4 : start + 4 + size]
    if len(packed) != size:
        raise InputError(where, "X-Binary-Size", f"{size} bytes of pixels", f"{len(packed)}: truncated")
    if rows * columns != number or number > size:
        expected = f"{rows} x {columns} pixels, a byte or more each"
        raise InputError(where, "X-Binary-Number-of-Elements", expected, f"{number} in {size} bytes")
    if b"x-CBF_BYTE_OFFSET" not in head or b"signed 32-bit integer" not in head.replace(b"unsigned", b""):
        raise InputError(where, "header", "signed 32-bit integers, x-CBF_BYTE_OFFSET", "something else")
    said = re.search(rb"Content-MD5:\s*(\S{24})", head)
    if said and base64.b64encode(hashlib.md5(packed, usedforsecurity=False).digest()) != said[1]:
        raise InputError(where, "Content-MD5", "the checksum of the pixels", "another one")
    values = decByteOffset(packed, size=number, dtype="int32")
    if values.size != number:
        raise InputError(where, "image", f"{number} pixels", f"{values.size}")
    return np.asarray(values).reshape(rows, columns)


def _declared(where: str, head: bytes, name: str) -> int:
    found = re.search(rb"X-Binary-" + name.encode() + rb":\s*(\d{1,12})\b", head)
    if not found:
        raise InputError(where, "header", f"X-Binary-{name}", "nothing")
    return int(found[1])


_NUMBER = r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
_ENTRIES = {
    "pixel": re.compile(rf"Pixel_size\s*[=:]?\s*{_NUMBER} m x {_NUMBER} m"),
    "distance": re.compile(rf"Detector_distance\s*[=:]?\s*{_NUMBER} m"),
    "beam": re.compile(rf"Beam_xy\s*[=:]?\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\) pixels"),
    "wavelength": re.compile(rf"Wavelength\s*[=:]?\s*{_NUMBER} A"),
    "cutoff": re.compile(rf"Count_cutoff\s*[=:]?\s*{_NUMBER} counts"),
    "seconds": re.compile(rf"Exposure_time\s*[=:]?\s*{_NUMBER} s"),
}


def image_header(content: bytes) -> ImageHeader:
    """The text header that Pilatus and Eiger cameras put in TIFF and CBF files."""
    text = content[:HEAD].decode("latin-1")
    found = {name: entry.search(text) for name, entry in _ENTRIES.items()}
    numbers = {name: [float(n) for n in match.groups()] for name, match in found.items() if match}
    single = {name: numbers[name][0] if name in numbers else None for name in _ENTRIES}
    pixel, beam = numbers.get("pixel"), numbers.get("beam")
    return ImageHeader(
        pixel_size=(1e3 * pixel[1], 1e3 * pixel[0]) if pixel else None,
        distance=None if single["distance"] is None else 1e3 * single["distance"],
        direct_beam=(beam[1], beam[0]) if beam else None,
        wavelength=single["wavelength"],
        cutoff=single["cutoff"],
        seconds=single["seconds"],
    )
