"""A damaged scan of frames is read or refused in one sentence: no traceback, no hang, no frame of zeros."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest
from nanotexture.errors import InputError, UserError
from nanotexture.readers import hdf5_safety, read_frames
from nanotexture.readers.archive import Archive
from nanotexture.schema import FRAMES, check
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import Frames
from nanotexture.simulate.six_circle import Angles, AreaDetector

from .frame_sources import counts, write_bliss, write_eiger, zipped
from .test_damaged import flipped, metadata_flipped, truncated, with_words, without_lines

Mutate = Callable[[bytes, np.random.Generator], bytes]


def inserted(content: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(0, len(content)))
    return content[:place] + rng.bytes(int(rng.integers(1, 20))) + content[place:]


def head_flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """Up to 8 bytes changed among the first 200 and the last 600: headers and directories of images."""
    changed = bytearray(content)
    ends = [*range(min(200, len(content))), *range(max(0, len(content) - 600), len(content))]
    for place in rng.choice(ends, rng.integers(1, 9)):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


TEXT: tuple[Mutate, ...] = (truncated, flipped, without_lines, with_words, inserted, metadata_flipped)
BINARY: tuple[Mutate, ...] = (truncated, flipped, inserted, metadata_flipped, head_flipped)
# Three of four are cut: what is not costs a process of its own each, in which libhdf5 may end.
HDF5: tuple[Mutate, ...] = (
    truncated,
    truncated,
    flipped,
    truncated,
    truncated,
    truncated,
    metadata_flipped,
    truncated,
)


def outcome(path: Path) -> str:
    """The message to the user, empty if all was read; any other exception goes through."""
    try:
        found = read_frames(path)
        header = check(found.header, FRAMES)
        frames = found.pixels.read(0, found.pixels.shape[0])
    except UserError as error:
        return str(error)
    assert frames.shape == found.pixels.shape == (header.sizes["frame"], *header["mask"].shape)
    assert frames.reshape(len(frames), -1).any(axis=1).all()
    assert np.isfinite(header.position).all()
    return ""


@pytest.fixture(scope="module")
def membrane(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the real SPEC file, its last scan cut to 5 points, and 5 real frames cut to 16 x 12 pixels."""
    folder = tmp_path_factory.mktemp("membrane")
    with Archive(mirror / "nno_6idb.zip").opened() as read:
        rows = read("data.spec").split(b"\n")
        first = next(n for n, row in enumerate(rows) if row.startswith(b"#L Eta  H  K  L") and n > 150)
        begin = next(n for n, row in enumerate(rows) if row.startswith(b"#S 21"))
        head = rows[: next(n for n, row in enumerate(rows) if row.startswith(b"#S 14"))]
        (folder / "data.spec").write_bytes(b"\n".join([*head, *rows[begin : first + 6], b""]))
        (folder / "S021").mkdir()
        for n in range(5):
            (folder / "whole.tif").write_bytes(read(f"S021/data_S021_{n:05d}.tif"))
            frame = fabio.open(str(folder / "whole.tif")).data[100:116, 200:212]
            fabio.tifimage.TifImage(data=frame).write(str(folder / f"S021/data_S021_{n:05d}.tif"))
        (folder / "whole.tif").unlink()
    return folder


def check_said(said: list[str], names: tuple[str, ...], least: int) -> None:
    """Every refusal is one line that names one of the files, and there are some."""
    refused = [one for one in said if one]
    assert not any("\n" in one for one in refused)
    assert all(any(name in one for name in names) for one in refused)
    assert len(refused) > least


def mutants(content: bytes, mutate: tuple[Mutate, ...], number: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for index in range(number):
        yield mutate[index % len(mutate)](content, rng)


def test_mutants_of_a_real_spec_file_are_read_or_refused(membrane: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(membrane, tmp_path / "scan")
    path = folder / "data.spec"
    assert outcome(path) == ""
    said = []
    for content in mutants(path.read_bytes(), TEXT, 240, 1):
        path.write_bytes(content)
        said.append(outcome(path))
    check_said(said, ("data.spec", "S021"), 80)


@pytest.mark.parametrize("suffix", ["tif", "edf", "cbf"])
def test_mutants_of_an_image_are_read_or_refused(membrane: Path, tmp_path: Path, suffix: str) -> None:
    folder = shutil.copytree(membrane, tmp_path / "scan")
    kinds = {"tif": fabio.tifimage.TifImage, "edf": fabio.edfimage.EdfImage, "cbf": fabio.cbfimage.CbfImage}
    for image in sorted(folder.glob("S021/*.tif")):
        data = fabio.open(str(image)).data.astype(np.int32)
        image.unlink()
        kinds[suffix](data=data).write(str(image.with_suffix(f".{suffix}")))
    target = folder / f"S021/data_S021_00002.{suffix}"
    content = target.read_bytes()
    assert outcome(folder / "data.spec") == ""
    said = []
    for changed in mutants(content, BINARY, 200, 2):
        target.write_bytes(changed)
        said.append(outcome(folder / "data.spec"))
    check_said(said, ("data_S021_00002", "expected counts"), 60)


def test_mutants_of_a_real_pilatus_image_are_read_or_refused(mirror: Path, tmp_path: Path) -> None:
    with Archive(mirror / "bfo_series.zip").opened() as read:
        image, text = read("pilatus/S00001/examplePilatus_1_20.tif"), read("spec_pilatus.spec")
    rows = text.split(b"\n")
    start = next(n for n, row in enumerate(rows) if row.startswith(b"19.4 "))
    path = tmp_path / "s.spec"
    path.write_bytes(b"\n".join([*rows[: start + 2], b""]))
    (tmp_path / "s_1_0.tif").write_bytes(image)
    rng = np.random.default_rng(3)
    for index in range(60):
        changed = bytearray(image)
        for place in rng.integers(0, 500, rng.integers(1, 20)):
            changed[place] = int(rng.integers(0, 256))
        cut = int(rng.integers(0, len(image))) if index % 2 else len(image)
        (tmp_path / "s_1_1.tif").write_bytes(changed[:cut])
        said = outcome(path)
        assert cut == len(image) or "s_1_1.tif" in said


def test_mutants_of_a_zip_are_read_or_refused(membrane: Path, tmp_path: Path) -> None:
    path = zipped(membrane, tmp_path / "scan.zip")
    content = path.read_bytes()
    assert outcome(path) == ""
    said = []
    for changed in mutants(content, BINARY, 250, 4):
        path.write_bytes(changed)
        said.append(outcome(path))
    check_said(said, ("scan.zip",), 200)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files this small are read in a second, or not at all."""
    monkeypatch.setattr(hdf5_safety, "START", 5.0)


def outcomes(paths: list[Path]) -> list[str]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(outcome, paths))


def test_mutants_of_a_nexus_file_are_read_or_refused(tmp_path: Path) -> None:
    frames = Frames(
        hkl=(1, 0, 3),
        counts=counts(4).astype(np.uint32),
        monitor=np.full(4, 1e6),
        pixel_mask=np.zeros((12, 10), np.uint32),
        saturation=1000,
        angles=Angles(*np.random.default_rng(0).uniform(-40, 40, (6, 4))),
        detector=AreaDetector((12, 10), 0.1, 300.0, (2.0, 1.5)),
        energy_kev=9.5,
        cell=(3.9, 3.9, 4.1),
    )
    path = write_frames(tmp_path / "f.nxs", frames, name="film", temperature=90.0)
    assert outcome(path) == ""
    paths = [tmp_path / f"m{index}.nxs" for index in range(200)]
    for mutant, content in zip(paths, mutants(path.read_bytes(), HDF5, 200, 5), strict=True):
        mutant.write_bytes(content)
    said = outcomes(paths)
    check_said(said, tuple(path.name for path in paths), 120)


def cut_from_the_real(mirror: Path, path: Path) -> None:
    """What ID01 wrote of its scan 20, without its missing frames, beside the frames of a small scan 3."""
    with h5py.File(mirror / "id01_missing_frames/PTO_STO_SL_0001.h5") as real, h5py.File(path, "a") as file:
        source, entry = real["20.1/instrument"], file["3.1/instrument"]
        for name, value in source["positioners"].items():
            if name not in entry["positioners"] and value.shape == ():
                source.copy(f"positioners/{name}", entry["positioners"])
        for name in ("machine", "monochromator"):
            source.copy(name, entry)


def test_mutants_of_a_bliss_file_are_read_or_refused(mirror: Path, tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(5))
    cut_from_the_real(mirror, path)
    assert outcome(path) == ""
    content = path.read_bytes()
    paths = [tmp_path / f"m{index}.h5" for index in range(200)]
    for mutant, changed in zip(paths, mutants(content, HDF5, 200, 6), strict=True):
        mutant.write_bytes(changed)
    said = outcomes(paths)
    check_said(said, ("mpx_0", *(path.name for path in paths)), 110)


def test_mutants_of_an_eigers_data_file_are_read_or_refused(tmp_path: Path) -> None:
    paths = []
    for index in range(24):
        folder = tmp_path / str(index)
        folder.mkdir()
        path = write_eiger(folder, counts(6), files=2)
        target = folder / "film_data_000002.h5"
        target.write_bytes(next(mutants(target.read_bytes(), HDF5[index % 8 :], 1, index)))
        paths.append(path)
    check_said(outcomes(paths), ("film_",), 12)


def test_frames_of_a_file_cut_anywhere_are_refused(tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(5))
    source = tmp_path / "scan0003/mpx_0001.h5"
    content = source.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9, 0.999):
        source.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"mpx_0001\.h5"):
            read_frames(path)
