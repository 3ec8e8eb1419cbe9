"""Every scan format becomes the same labelled scan, and attenuation is applied exactly once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers import SCAN_READERS, read_scan
from nanotexture.schema import SCAN, check

from .conftest import asc_text, ras_text, xrdml_text

COUNTS = np.arange(12, dtype=float).reshape(3, 4)
LABELS = {"file", "format", "instrument", "line_axis", "point_axis", "comment", "sample"}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_every_real_file_becomes_a_scan_with_the_same_labels(scan_file: Path) -> None:
    scan = read_scan(scan_file)
    check(scan, SCAN)
    assert set(scan.variables) == set(SCAN)
    assert set(scan.attrs) >= LABELS
    assert scan.attrs["file"] == scan_file.name
    assert 1.54 < float(scan["wavelength"]) < 1.542
    assert all(np.isfinite(scan[name]).all() for name in scan)


def test_reading_twice_gives_the_same_scan(scan_file: Path) -> None:
    assert read_scan(scan_file).identical(read_scan(scan_file))


def test_every_suffix_of_the_registry_is_tested() -> None:
    assert set(SCAN_READERS) == {".asc", ".brml", ".ras", ".rasx", ".xrdml"}


def test_the_step_of_a_real_asc_is_exact_and_not_the_printed_one(mirror: Path) -> None:
    scan = read_scan(mirror / "pto_kto/e16014_02_-103_PTO_RSM_2-Theta.asc")
    assert dict(scan.sizes) == {"line": 601, "point": 257}
    assert np.allclose(np.diff(scan["two_theta"][0]), 2 / 256, atol=1e-12)
    assert float(scan["two_theta"][0, -1]) == 78.25
    assert np.allclose(scan["omega"][:, 0], 53.065 + 0.01 * np.arange(601))
    assert (scan["seconds"] == 15).all()


def test_the_attenuator_column_of_a_real_ras_makes_the_substrate_peak_continuous(mirror: Path) -> None:
    scan = read_scan(mirror / "pto_kto/e16014_09_t2t_002.ras")
    attenuation = scan["attenuation"].values[0]
    incident = (scan["counts"] * scan["attenuation"]).values[0]
    assert sorted(set(attenuation)) == [1.0, 43.0962]
    assert np.count_nonzero(attenuation > 1) == 14
    entry = int(np.argmax(attenuation > 1))
    assert 1 < incident[entry] / incident[entry - 1] < 3
    assert incident.max() == pytest.approx(418312.9688 * 43.0962)
    assert np.allclose(scan["omega"] - scan["two_theta"] / 2, 21.7179 - 42.9952 / 2)


def test_both_real_xrdml_maps_have_their_shape(mirror: Path) -> None:
    mesh = read_scan(mirror / "lab_maps/layer_m420_mesh.xrdml")
    assert dict(mesh.sizes) == {"line": 101, "point": 255}
    assert float(mesh["two_theta"][0, 0]) == 67.45053915
    assert float(mesh["counts"][0, 0]) == 41
    area = read_scan(mirror / "lab_maps/sto_013_area.xrdml")
    assert dict(area.sizes) == {"line": 76, "point": 75}
    assert np.allclose(area["two_theta"][0], np.linspace(73.04, 78.96, 75))
    assert area.attrs["point_axis"] == "omega/two_theta"


def test_asc_blocks_become_lines_at_their_offset(tmp_path: Path) -> None:
    scan = read_scan(written(tmp_path / "a.asc", asc_text(COUNTS, np.array([10.0, 10.1, 10.2]))))
    assert (scan["counts"] == COUNTS).all()
    assert (scan["omega"].values == np.array([[10.0], [10.1], [10.2]])).all()
    assert (scan["two_theta"].values == np.linspace(74, 75, 4)).all()


def test_rates_in_an_asc_become_counts(tmp_path: Path) -> None:
    text = asc_text(COUNTS, np.arange(3.0), YUNIT="cps")
    assert (read_scan(written(tmp_path / "a.asc", text))["counts"] == 2 * COUNTS).all()


def test_ras_counts_stay_as_detected_and_the_factor_stays_apart(tmp_path: Path) -> None:
    rows = np.array([[40.0, 5, 1], [40.2, 7, 40.5], [40.4, 9, 1]])
    scan = read_scan(written(tmp_path / "a.ras", ras_text(rows)))
    assert scan["counts"].values.tolist() == [[5, 7, 9]]
    assert (scan["counts"] * scan["attenuation"]).values.tolist() == [[5, 7 * 40.5, 9]]
    assert np.allclose(scan["omega"], [[21.0, 21.1, 21.2]])
    assert np.allclose(scan["seconds"], 3.0)


@pytest.mark.parametrize(
    ("axis", "omega", "two_theta"),
    [
        ("TwoTheta", [21, 21], [40, 41]),
        ("Omega", [40, 41], [40, 40]),
        ("TwoThetaTheta", [21, 21.5], [40, 41]),
    ],
)
def test_ras_axes_that_do_not_move_stand_where_the_header_says(
    tmp_path: Path, axis: str, omega: list[float], two_theta: list[float]
) -> None:
    scan = read_scan(written(tmp_path / "a.ras", ras_text(np.array([[40, 5, 1], [41, 7, 1]]), axis)))
    assert scan["omega"].values.tolist() == [omega]
    assert scan["two_theta"].values.tolist() == [two_theta]


def test_unresolved_k_alpha_is_the_weighted_mean(tmp_path: Path) -> None:
    text = ras_text(np.array([[40, 5, 1], [41, 7, 1]]), MEAS_COND_XG_WAVE_TYPE="Ka")
    assert float(read_scan(written(tmp_path / "a.ras", text))["wavelength"]) == pytest.approx(4.6 / 3)


FACTORS = "<beamAttenuationFactors>1 150 1</beamAttenuationFactors>"


@pytest.mark.parametrize(
    "data",
    [
        f"{FACTORS}<counts unit='counts'>5 7 9</counts>",
        f"{FACTORS}<intensities unit='counts'>5 1050 9</intensities>",
        f"{FACTORS}<intensities unit='counts'>5 1050 9</intensities><counts unit='counts'>5 7 9</counts>",
    ],
)
def test_xrdml_attenuation_is_applied_exactly_once_whatever_the_file_gives(tmp_path: Path, data: str) -> None:
    scan = read_scan(written(tmp_path / "a.xrdml", xrdml_text(data)))
    assert np.allclose(scan["counts"], [[5, 7, 9]])
    assert np.allclose(scan["counts"] * scan["attenuation"], [[5, 1050, 9]])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("<countingTimes>1 2 3</countingTimes>", [1, 2, 3]),
        ("<commonCountingTime>4</commonCountingTime>", [4, 4, 4]),
        ("", [np.nan] * 3),
    ],
)
def test_xrdml_counting_times(tmp_path: Path, times: str, expected: list[float]) -> None:
    scan = read_scan(written(tmp_path / "a.xrdml", xrdml_text(f"{times}<counts>5 7 9</counts>")))
    assert np.array_equal(scan["seconds"].values, [expected], equal_nan=True)


@pytest.mark.parametrize("tag", ["listPositions", "unspacedPositions"])
def test_xrdml_listed_positions(tmp_path: Path, tag: str) -> None:
    text = xrdml_text("<counts>5 7 9</counts>", two_theta=f"<{tag}>70 70.1 71</{tag}>")
    assert read_scan(written(tmp_path / "a.xrdml", text))["two_theta"].values.tolist() == [[70, 70.1, 71]]


def test_a_last_line_that_was_aborted_is_dropped_and_said(tmp_path: Path) -> None:
    one = xrdml_text("<counts>5 7 9</counts>")
    short = one[one.index("<scan") : one.index("</scan>") + 7].replace("5 7 9", "5 7")
    text = one.replace("</scan>", "</scan>" + short.replace('status=""', 'status="Aborted"'))
    scan = read_scan(written(tmp_path / "a.xrdml", text))
    assert scan.sizes["line"] == 1
    assert scan.attrs["lines_dropped"] == "1"
    with pytest.raises(InputError, match="line 1"):
        read_scan(written(tmp_path / "b.xrdml", text.replace("Aborted", "Completed")))
