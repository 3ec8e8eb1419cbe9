"""A damaged file is read to finite numbers or refused in one sentence: no traceback, no hang."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from nanotexture.errors import InputError, UserError
from nanotexture.readers import hdf5_safety, read_map, read_scan
from nanotexture.readers.hkl_volume import read_hkl_volume
from nanotexture.readers.spec_hkl import read_hkl_scan
from nanotexture.schema import HKL_SCAN, MAP, SCAN, Schema, check, in_volume

from .archives import unpacked, written_zip
from .conftest import asc_text, ras_text, write_map, xrdml_text
from .hkl_volumes import write_volume

SLOW = 5.0  # seconds: more, on a busy machine, than any damaged file may cost
SCAN_FINITE = ("counts", "attenuation", "omega", "two_theta", "wavelength", "oversampling")


def truncated(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(0, len(content), rng.integers(1, 30)):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


def metadata_flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three bytes changed among those that are not zero: mostly the structure of the file."""
    changed = bytearray(content)
    for place in rng.choice(np.flatnonzero(np.frombuffer(content, np.uint8)), rng.integers(1, 4)):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


def without_lines(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    first = int(rng.integers(0, len(lines)))
    return b"\n".join(lines[:first] + lines[first + int(rng.integers(1, 20)) :])


def with_words(content: bytes, rng: np.random.Generator) -> bytes:
    word = [b"nan", b"-1e308", b"1e400", b"*END", b"<scan>", b"\x00", b"99999999999"][rng.integers(0, 7)]
    place = int(rng.integers(0, len(content)))
    return content[:place] + word + content[place + len(word) :]


def outcome(read: Callable[[Path], xr.Dataset], path: Path) -> xr.Dataset | str:
    """What was read, or the message to the user; any other exception goes through."""
    try:
        return read(path)
    except UserError as error:
        return str(error)


MUTATIONS = (truncated, flipped, without_lines, with_words)


def shortened(mirror: Path, name: str) -> bytes:
    """The real file with most of its lines left out, so that hundreds of mutants take seconds."""
    content = (mirror / name).read_bytes()
    if name.endswith(".asc"):
        blocks = content.split(b"*BEGIN")
        head = blocks[0].replace(b"=  401", b"=  6")
        return b"*BEGIN".join([head, *blocks[1:7]]) + b"*EOF\r\n"
    if name.endswith(".xrdml"):
        scans = content.split(b"<scan ")
        return b"<scan ".join(scans[:6]) + b"</xrdMeasurement></xrdMeasurements>"
    return content


def mutants_are_read_or_refused(
    mutants: Iterator[bytes],
    path: Path,
    read: Callable[[Path], xr.Dataset],
    schema: Schema,
    fields: tuple[str, ...],
) -> int:
    """How many mutants are refused; each of the others is checked to be finite and not empty, all of them to be quick."""
    refused = 0
    for mutant in mutants:
        path.write_bytes(mutant)
        started = time.perf_counter()
        found = outcome(read, path)
        assert time.perf_counter() - started < SLOW
        if isinstance(found, str):
            refused += 1
            assert path.name in found
            assert "\n" not in found
        else:
            check(found, schema)
            assert all(np.isfinite(found[variable]).all() for variable in fields)
            assert found["counts"].values.any()
    return refused


def text_mutants(content: bytes, number: int, seed: int = 17) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    return (MUTATIONS[index % len(MUTATIONS)](content, rng) for index in range(number))


@pytest.mark.parametrize(
    "name",
    [
        "pto_kto/e16014_01_-103_KTO_RSM_2-Theta.asc",
        "pto_kto/e16014_09_t2t_002.ras",
        "lab_maps/layer_m420_mesh.xrdml",
        "lab_maps/sto_013_area.xrdml",
    ],
)
def test_mutants_of_real_scans_are_read_or_refused(mirror: Path, tmp_path: Path, name: str) -> None:
    content = shortened(mirror, name)
    path = tmp_path / f"mutant{Path(name).suffix}"
    path.write_bytes(content)
    read_scan(path)
    refused = mutants_are_read_or_refused(text_mutants(content, 240), path, read_scan, SCAN, SCAN_FINITE)
    assert refused > 60


def few_members(mirror: Path, name: str) -> dict[str, bytes]:
    """The first three lines of a real archive, with a table of contents that lists these."""
    contents = unpacked(mirror / name)
    if name.endswith(".brml"):
        table = contents["Experiment0/DataContainer.xml"]
        listed = re.sub(rb"\s*<string>Experiment0/RawData([3-9]|\d\d+)\.xml</string>", b"", table)
        raw = {f"Experiment0/RawData{i}.xml": contents[f"Experiment0/RawData{i}.xml"] for i in range(3)}
        return {"Experiment0/DataContainer.xml": listed, **raw}
    root = re.sub(rb"<Data([3-9]|\d\d+) .*?</Data\1>", b"", contents["root.xml"], flags=re.DOTALL)
    lines = {key: value for key, value in contents.items() if re.match(r"Data[012]/", key)}
    return {"root.xml": root, **lines}


def archive_mutants(contents: dict[str, bytes], path: Path, number: int) -> Iterator[bytes]:
    """Archives with one member changed and packed again (its checksum then is right), or with their own bytes changed."""
    rng, names = np.random.default_rng(23), list(contents)
    whole = written_zip(path, contents).read_bytes()
    for index in range(number):
        mutate = MUTATIONS[index % len(MUTATIONS)]
        if index % 3 == 0:
            yield mutate(whole, rng)
            continue
        name = names[int(rng.integers(0, len(names)))]
        yield written_zip(path, {**contents, name: mutate(contents[name], rng)}).read_bytes()


@pytest.mark.parametrize("name", ["lab_maps/si_004.brml", "lab_maps/rsm_111.rasx"])
def test_mutants_of_real_archives_are_read_or_refused(mirror: Path, tmp_path: Path, name: str) -> None:
    contents = few_members(mirror, name)
    path = tmp_path / f"mutant{Path(name).suffix}"
    assert read_scan(written_zip(path, contents)).sizes["line"] == 3
    mutants = archive_mutants(contents, tmp_path / "packed.zip", 240)
    assert mutants_are_read_or_refused(mutants, path, read_scan, SCAN, SCAN_FINITE) > 60


@pytest.mark.parametrize(("name", "number"), [("lmn40/lmn40.spe", 13), ("lno_lao/LNO_LAO_s14.dat", 14)])
def test_mutants_of_real_spec_scans_are_read_or_refused(
    mirror: Path, tmp_path: Path, name: str, number: int
) -> None:
    text = (mirror / name).read_bytes()
    start = text.index(b"#S %d " % number)
    end = text.find(b"#S %d " % (number + 1))
    head = text.rfind(b"#E ", 0, start)  # the last one before the scan: a file is written on into
    content = b"#F mutant\n" + text[head : text.index(b"#S ", head)] + text[start : end if end > 0 else None]
    path = tmp_path / "mutant.spec"
    path.write_bytes(content)
    read_hkl_scan(path)
    refused = mutants_are_read_or_refused(
        text_mutants(content, 400), path, read_hkl_scan, HKL_SCAN, ("counts", "attenuation", "hkl")
    )
    assert refused > 60


def hdf5_mutants(content: bytes, folder: Path, number: int) -> list[Path]:
    """Damaged copies of an HDF5 file: cut, with bytes of any kind changed, with bytes of its structure changed."""
    rng = np.random.default_rng(5)
    paths = [folder / f"mutant{index}.nxs" for index in range(number)]
    for index, path in enumerate(paths):
        path.write_bytes(
            (truncated, truncated, truncated, flipped, metadata_flipped)[index % 5](content, rng)
        )
    return paths


def test_mutants_of_a_volume_along_hkl_are_read_or_refused(tmp_path: Path) -> None:
    paths = hdf5_mutants(write_volume(tmp_path / "volume.nxs").read_bytes(), tmp_path, 200)
    with ThreadPoolExecutor(4) as pool:
        read = partial(read_hkl_volume, hkl=(1, 0, 3))
        outcomes = list(pool.map(lambda path: outcome(read, path), paths))
    for path, found in zip(paths, outcomes, strict=True):
        if isinstance(found, str):
            assert path.name in found
        else:
            check(found, in_volume(MAP))
            measured = found["mask"].values == 0
            assert np.isfinite(found["intensity"].values[measured]).all()
            assert found["intensity"].values[measured].any()
    assert sum(isinstance(found, str) for found in outcomes) > 60


def test_mutants_of_a_map_file_are_read_or_refused(tmp_path: Path) -> None:
    paths = hdf5_mutants(write_map(tmp_path / "map.nxs").read_bytes(), tmp_path, 200)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda path: outcome(read_map, path), paths))
    for path, found in zip(paths, outcomes, strict=True):
        if isinstance(found, str):
            assert path.name in found
        else:
            check(found, MAP)
            assert np.isfinite(found["intensity"].where(found["mask"] == 0, 0)).all()


def test_a_real_file_cut_anywhere_is_refused(mirror: Path, tmp_path: Path) -> None:
    for name in ("e16014_01_-103_KTO_RSM_2-Theta.asc", "e16014_09_t2t_002.ras"):
        content = (mirror / "pto_kto" / name).read_bytes()
        path = tmp_path / name
        for share in (0.02, 0.3, 0.5, 0.9, 0.999):
            path.write_bytes(content[: int(share * len(content))])
            with pytest.raises(InputError):
                read_scan(path)


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><xrdMeasurements>&c;</xrdMeasurements>"""
ENTITY = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<xrdMeasurements>&a;</xrdMeasurements>"""


@pytest.mark.parametrize("text", [BOMB, ENTITY])
def test_xml_entities_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bomb.xrdml").write_text(text)
    with pytest.raises(InputError, match="no document type and no entities"):
        read_scan(tmp_path / "bomb.xrdml")


LINES = np.arange(1, 9).reshape(2, 4)
ROWS = np.array([[40.0, 5, 1], [40.2, 7, 1]])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.asc", "", "an empty file"),
        ("a.asc", "  \n ", "an empty file"),
        ("a.asc", "hello", r"\*BEGIN"),
        ("a.asc", asc_text(LINES, np.arange(2)).replace("*EOF", ""), r"\*EOF.*truncated"),
        ("a.asc", asc_text(LINES, np.arange(2), SEC_COUNT="3"), "3 blocks as the head says, found 2"),
        ("a.asc", asc_text(LINES, np.arange(2), SCAN_AXIS="2theta/theta"), "SCAN_AXIS"),
        ("a.asc", asc_text(LINES, np.arange(2), YUNIT="percent"), "counts or cps, found 'percent'"),
        ("a.asc", asc_text(LINES, np.arange(2), WAVE_LENGTH1="0"), "0.05 to 50.0 angstrom"),
        ("a.asc", asc_text(LINES, np.arange(2)).replace("COUNT = 4", "COUNT = 5", 1), r"block 0, \*COUNT"),
        ("a.asc", asc_text(LINES, np.arange(2)).replace("*OFFSET = 1", "*X = 1"), r"block 1, \*OFFSET"),
        ("a.asc", asc_text(LINES, np.arange(2)).replace("5, 6", "5, x"), "block 1, counts.*'x'"),
        ("a.asc", asc_text(LINES, np.arange(2)).replace("5, 6", "5, nan"), "finite numbers"),
        ("a.asc", asc_text(-LINES, np.arange(2)), "no negative counts, found -8"),
        ("a.asc", asc_text(LINES, np.arange(2), YUNIT="cps", SPEED_DIM="?"), "counting time missing"),
        ("a.ras", "hello", r"\*RAS_INT_START"),
        ("a.ras", ras_text(ROWS).replace("*RAS_DATA_END", ""), "truncated"),
        ("a.ras", ras_text(ROWS).replace("40.2 7.0 1.0", "40.2 7.0"), "rows of angle, counts, attenuator"),
        ("a.ras", ras_text(ROWS, MEAS_DATA_COUNT="3"), "3 rows as declared, found 2 rows"),
        ("a.ras", ras_text(ROWS, axis="Chi"), "TwoThetaOmega.*found 'Chi'"),
        ("a.ras", ras_text(ROWS * [1, 1, 0]), "positive factors, found 0"),
        ("a.ras", ras_text(ROWS, MEAS_COND_XG_WAVE_TYPE="La"), "found 'La'"),
        ("a.ras", ras_text(ROWS, MEAS_SCAN_UNIT_Y="V"), "counts or cps"),
        ("a.xrdml", "<a/>", "a document of <xrdMeasurements>"),
        ("a.xrdml", "<a", "a complete XML document"),
        ("a.xrdml", xrdml_text("<counts>5 7 9</counts>").replace("scan", "scam"), "at least one scan"),
        ("a.xrdml", xrdml_text(""), "<counts> or <intensities>, found neither"),
        ("a.xrdml", xrdml_text("<counts unit='cps'>5 7 9</counts>"), "unit counts, found 'cps'"),
        ("a.xrdml", xrdml_text(f"{'<countingTimes>1 2</countingTimes>'}<counts>5 7 9</counts>"), "3 values"),
        ("a.xrdml", xrdml_text("<counts>5 7 9</counts>").replace("Omega", "Psi"), "positions of the axis"),
        (
            "a.xrdml",
            xrdml_text("<counts>5 7 9</counts>", two_theta="<commonPosition>70</commonPosition>"),
            "moves",
        ),
        ("a.xrdml", xrdml_text("<counts>5 7 9</counts>").replace("K-Alpha 1", "K-Gamma"), "found 'K-Gamma'"),
        ("a.raw", "x", r"one of .asc, .brml, .ras, .rasx, .xrdml, or a SPEC file, found '.raw'"),
        ("a.brml", "x", "a complete zip"),
        ("a.rasx", "", "a complete zip"),
        ("a.asc", asc_text(0 * LINES, np.arange(2)), "counts, found zero at every point"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_file(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_scan(tmp_path / name)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.ras").mkdir()
    for name in ("nothing.asc", "folder.ras"):
        with pytest.raises(InputError, match="a readable file"):
            read_scan(tmp_path / name)


def test_hdf5_that_is_not_a_map_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["something"] = 1
    with pytest.raises(
        InputError, match=r"/entry: expected to be there, found no 'entry' in / \(it has: something\)"
    ):
        read_map(tmp_path / "other.h5")


def test_a_heap_that_would_hang_the_library_is_refused(tmp_path: Path) -> None:
    path = write_map(tmp_path / "a.nxs")
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 24] = 250  # the size of the first string: the next object then starts in empty space
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=f"a damaged heap of strings at byte {heap}"):
        read_map(path)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os; os.kill(os.getpid(), 11)", "ended the process"),
        ("import time; time.sleep(60)", "did not come back"),
    ],
)
def test_a_file_that_crashes_or_hangs_the_library_costs_a_child_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    (tmp_path / "probe.py").write_text(program)
    monkeypatch.setattr(hdf5_safety, "PROBE", tmp_path / "probe.py")
    monkeypatch.setattr(hdf5_safety, "START", 0.5)
    with pytest.raises(InputError, match=message):
        read_map(write_map(tmp_path / "a.nxs"))
