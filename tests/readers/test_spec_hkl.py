"""SPEC scans in h, k, l of a point detector: labelled as they stand, aborted ones counted, zero monitors refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers.spec_file import canonical, spec_scans
from nanotexture.readers.spec_file import spec_scan as parsed
from nanotexture.readers.spec_hkl import Columns, read_hkl_scan
from nanotexture.schema import HKL_SCAN, check
from silx.io.specfile import SpecFile

from .spec_files import rod_rows, spec_file, spec_scan

GOOD = spec_scan(rod_rows([5, 7, 9, 11]))


def written(path: Path, *scans: str) -> Path:
    path.write_text(spec_file(*scans))
    return path


def test_a_scan_holds_what_its_columns_and_header_say(tmp_path: Path) -> None:
    path = written(tmp_path / "a.spec", spec_scan(rod_rows([5, 7, 9, 11], monitor=900, trans=0.5)))
    scan = check(read_hkl_scan(path), HKL_SCAN)
    assert scan["counts"].values.tolist() == [5, 7, 9, 11]
    assert (scan["monitor"] == 900).all()
    assert (scan["attenuation"] == 2).all()  # the transmission is 0.5, and the last column is as detected
    assert np.allclose(scan["hkl"][:, 2], [1, 1.1, 1.2, 1.3])
    assert scan["lengths"].values.tolist() == [4, 4, 20]
    assert float(scan["energy"]) == pytest.approx(12.39842 / 0.8)
    assert (scan.attrs["counter"], scan.attrs["monitor"]) == ("nai", "ion_chamber")
    assert (scan.attrs["points_promised"], scan.attrs["points_missing"]) == (4, 0)


def test_an_aborted_scan_says_how_many_points_it_lacks(tmp_path: Path) -> None:
    text = spec_scan(rod_rows([5, 7]), comment="Scan aborted after 2 points.")
    scan = read_hkl_scan(written(tmp_path / "a.spec", text))
    assert scan.sizes["point"] == 2
    assert scan.attrs["points_missing"] == 2
    assert scan.attrs["aborted"].endswith("Scan aborted after 2 points.")


def test_a_last_row_without_its_line_end_is_no_point(tmp_path: Path) -> None:
    text = spec_file(GOOD).rstrip("\n")
    (tmp_path / "a.spec").write_text(text[:-1])  # 11 counts would be read as 1
    scan = read_hkl_scan(tmp_path / "a.spec")
    assert scan["counts"].values.tolist() == [5, 7, 9]
    assert scan.attrs["points_missing"] == 1


def test_a_mesh_knows_its_lines(tmp_path: Path) -> None:
    rows = [[h, 0, 1 + 0.1 * n, 1, 1000, 1, 2, 5] for n in range(2) for h in (1, 1.1, 1.2)]
    text = spec_scan(rows, command="hklmesh  H 1 1.2 2  L 1 1.1 1  -1000")
    assert read_hkl_scan(written(tmp_path / "a.spec", text)).attrs["points_per_line"] == 3


def test_points_without_monitor_are_left_out_only_where_asked(tmp_path: Path) -> None:
    rows = rod_rows([5, 7, 9, 11])
    rows[2][4] = 0
    path = written(tmp_path / "a.spec", spec_scan(rows))
    with pytest.raises(InputError, match=r"scan 1, ion_chamber: expected a monitor above 0.*0 at point 2"):
        read_hkl_scan(path)
    scan = read_hkl_scan(path, columns=Columns(without_monitor="leave out"))
    assert np.isnan(scan["monitor"].values).tolist() == [False, False, True, False]
    assert scan.attrs["points_without_monitor"] == 1


def test_a_clock_that_failed_at_a_point_is_not_a_time(tmp_path: Path) -> None:
    rows = rod_rows([5, 7, 9, 11])
    rows[1][6] = -116.3
    assert np.isnan(read_hkl_scan(written(tmp_path / "a.spec", spec_scan(rows)))["seconds"].values[1])
    with pytest.raises(InputError, match="positive seconds"):
        read_hkl_scan(tmp_path / "a.spec", columns=Columns(monitor=""))


def test_columns_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.spec", spec_scan(rod_rows([5, 7, 9, 11], trans=0.5)))
    scan = read_hkl_scan(path, columns=Columns(counter="Epoch", monitor="Seconds", transmission=""))
    assert scan["counts"].values.tolist() == [0, 1, 2, 3]
    assert (scan["monitor"] == 2).all()
    assert (scan["attenuation"] == 1).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "not a SPEC file, or truncated"),
        (GOOD + GOOD, r"one scan, or the number of one, found 2 \(scans 1, 1\)"),
        (GOOD.replace("hklscan", "ascan"), "hklscan, hscan, kscan, lscan or hklmesh, found 'ascan'"),
        (GOOD.replace(" 3 -1000", ""), "the arguments of hklscan"),
        (GOOD.replace(" 3 -1000", " -5 -1000"), "the arguments of hklscan"),
        (
            GOOD.replace("hklscan  1 1  0 0  1 1.3  3", "hklmesh H 1 1 -5 L 1 1 -5"),
            "the arguments of hklmesh",
        ),
        (GOOD.replace(" 2 7\n", " 2 7_0\n"), "scan 1, point 1: expected numbers"),
        (GOOD.replace(" 3 -1000", " 2 -1000"), "at most 3, as #S says, found 4"),
        (
            GOOD.replace("1 0 1.1 1 1000 1 2 7", "1 0 1.1 1 1000"),
            "scan 1, point 1: expected 8 numbers.*found 5",
        ),
        (GOOD.replace(" 2 7\n", " 2 7x\n"), "scan 1, point 1: expected numbers"),
        (GOOD.replace(" 2 7\n", " 2 -7\n"), "no negative counts"),
        (GOOD.replace("1000 1 2 7", "1000 0 2 7"), "scan 1, trans: expected transmissions above 0"),
        (GOOD.replace(" 2 7\n", " 2 nan\n"), "finite numbers"),
        (GOOD.replace("H  K", "K  K"), "a column 'H', found none"),
        (GOOD.replace("(Ion Chamber)", "(I0)"), "scan 1, #L: expected a column 'i0'"),
        (spec_scan(rod_rows([0, 0])), "zero at every point"),
        (spec_scan([]), "at least one point"),
        (GOOD.replace("#G1 4", "#G1 four"), "#G1: expected numbers"),
    ],
)
def test_what_is_wrong_with_a_spec_file_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.spec").write_text(text)
    with pytest.raises(InputError, match=message):
        read_hkl_scan(tmp_path / "a.spec")


def test_a_lattice_and_wavelength_of_zeros_are_unknown(tmp_path: Path) -> None:
    scan = read_hkl_scan(written(tmp_path / "a.spec", spec_scan(rod_rows([5, 7]), lattice="0 " * 32)))
    assert np.isnan([*scan["lengths"], *scan["angles"], scan["energy"]]).all()


def test_the_real_files_hold_the_numbers_that_silx_reads(mirror: Path) -> None:
    path = mirror / "lmn40/lmn40.spe"
    silx = SpecFile(str(path))
    for number in (13, 64, 126, 156):
        ours, theirs = parsed(path, path.read_bytes(), number), silx[f"{number}.1"]
        assert list(ours.columns) == [canonical(label) for label in theirs.labels]
        assert np.array_equal(np.array(list(ours.columns.values())), theirs.data)


def test_the_86_meshes_of_the_real_file_are_read_or_refused_for_a_dead_monitor(mirror: Path) -> None:
    path = mirror / "lmn40/lmn40.spe"
    meshes = [int(n) for n in re.findall(r"^#S (\d+)  hklmesh", path.read_text(), re.MULTILINE)]
    assert set(meshes) <= set(spec_scans(path, path.read_bytes()))
    refused = {}
    for number in meshes:
        try:
            read_hkl_scan(path, number)
        except InputError as error:
            refused[number] = str(error)
    assert len(meshes) == 86
    assert set(refused) == {53, 60, 148, 157}
    assert all("a monitor above 0" in text for text in refused.values())


def test_the_attenuated_points_of_the_real_rod_join_the_others(mirror: Path) -> None:
    path = mirror / "lno_lao/LNO_LAO_s14.dat"
    scan = read_hkl_scan(path)
    assert (scan.attrs["points_promised"], scan.attrs["points_missing"]) == (201, 16)
    assert "aborted after 185 points" in scan.attrs["aborted"]
    corrected = parsed(path, path.read_bytes(), 14).column(
        "corrdet"
    )  # the beamline's own product of counts and factor
    assert np.allclose(scan["counts"] * scan["attenuation"], corrected, rtol=2e-4)
    assert float(scan["energy"]) == pytest.approx(10.0, abs=0.01)
