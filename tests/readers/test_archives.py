"""Zips of XML: .brml and .rasx become the labelled scan, and archives that are not to be trusted are refused."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.geometry import nominal_angles
from nanotexture.geometry.offsets import alignment_from_substrate
from nanotexture.geometry.peak import fit_peak
from nanotexture.gridding import Crop, map_from_scan
from nanotexture.quantities import Scan
from nanotexture.readers import read_scan
from nanotexture.readers.archive import TEXTS, Archive
from nanotexture.schema import SCAN, check
from scipy.signal import find_peaks

from .archives import axis_info, brml, rasx, raw_data, snapshots, written_zip

COUNTS = np.arange(1, 13, dtype=float).reshape(3, 4)
ROWS = np.array([[40.0, 5, 1], [40.02, 7, 1], [40.04, 9, 40.5]])


def peak_of(scan: Scan) -> tuple[float, float]:
    found = fit_peak(
        (scan["counts"] * scan["attenuation"]).values, scan["omega"].values, scan["two_theta"].values
    )
    return found.omega, found.two_theta


# --- what the instrument wrote is what is read


def test_snapshots_of_a_line_detector_become_lines_at_the_drives_real_position(tmp_path: Path) -> None:
    scan = read_scan(written_zip(tmp_path / "a.brml", brml(snapshots(COUNTS, factor=20.0))))
    assert (scan["counts"] == COUNTS).all()
    assert (scan["attenuation"] == 20).all()
    assert (scan["seconds"] == 9).all()
    assert scan["omega"].values[:, 0].tolist() == [32.0, 32.1, 32.2]  # not 34: that is the virtual position
    assert scan["two_theta"].values[1].tolist() == [64.0, 64.5, 65.0, 65.5]
    assert scan.attrs["point_axis"] == "two_theta"


def test_points_of_a_coupled_brml_scan_become_one_line(tmp_path: Path) -> None:
    rows = np.array([[1.0, 1, 5], [1, 1, 7], [1, 8, 9]])
    axes = axis_info("TwoTheta", 40, 0.4, 0.2) + axis_info("Theta", 20, 0.2, 0.1)
    scan = read_scan(written_zip(tmp_path / "a.brml", brml([raw_data(rows, axes)])))
    assert scan["counts"].values.tolist() == [[5, 7, 9]]
    assert scan["attenuation"].values.tolist() == [[1, 1, 8]]
    assert np.allclose(scan["two_theta"], [[40, 40.2, 40.4]])
    assert np.allclose(scan["omega"], [[20, 20.1, 20.2]])


def test_values_recorded_after_the_counts_are_not_counts(tmp_path: Path) -> None:
    rows = np.array([[1.0, 1, 5, 299], [1, 1, 7, 300]])
    text = raw_data(rows, axis_info("TwoTheta", 40, 0.2, 0.2))
    views = '<RawDataView Start="2" Length="1"><Recording Category="Count"/></RawDataView>'
    later = (
        '<RawDataView Start="3" Length="1"><Recording Category="Temperature" LogicName="T"/></RawDataView>'
    )
    start, end = text.index('<RawDataView Start="2"'), text.index("</DataViews>")
    scan = read_scan(written_zip(tmp_path / "a.brml", brml([text[:start] + views + later + text[end:]])))
    assert scan["counts"].values.tolist() == [[5, 7]]


def test_an_aborted_brml_scan_keeps_its_step(tmp_path: Path) -> None:
    rows = np.array([[1.0, 1, 5], [1, 1, 7]])
    axes = axis_info("TwoTheta", 40, 10, 0.2)
    scan = read_scan(written_zip(tmp_path / "a.brml", brml([raw_data(rows, axes, status="Aborted")])))
    assert np.allclose(scan["two_theta"], [[40, 40.2]])


def test_profiles_of_a_rasx_become_lines_with_the_factor_apart(tmp_path: Path) -> None:
    scan = read_scan(written_zip(tmp_path / "a.rasx", rasx([ROWS, ROWS * [1, 2, 1]])))
    assert scan["counts"].values.tolist() == [[5, 7, 9], [10, 14, 18]]
    assert scan["attenuation"].values[0].tolist() == [1, 1, 40.5]
    assert scan["omega"].values[:, 0].tolist() == [20.0, 20.5]
    assert (scan["seconds"] == 1.2).all()
    assert float(scan["wavelength"]) == 1.5


def test_ten_profiles_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    lines = [ROWS * [1, n + 1, 1] for n in range(12)]
    scan = read_scan(written_zip(tmp_path / "a.rasx", rasx(lines)))
    assert scan["counts"].values[:, 0].tolist() == [5 * (n + 1) for n in range(12)]


# --- the real maps show the crystals that they are of


@pytest.fixture(scope="module")
def silicon(mirror: Path) -> Scan:
    """The real .brml: 801 files of XML, 3 seconds."""
    return read_scan(mirror / "lab_maps/si_004.brml")


def test_the_silicon_004_peak_is_at_its_bragg_angle(silicon: Scan) -> None:
    scan = check(silicon, SCAN)
    assert dict(scan.sizes) == {"line": 801, "point": 1280}
    bragg = 2 * np.degrees(np.arcsin(4 * 1.5406 / (2 * 5.43102)))
    omega, two_theta = peak_of(scan)
    assert two_theta == pytest.approx(bragg, abs=0.02)
    assert omega == pytest.approx(bragg / 2, abs=0.03)
    assert scan["counts"].max() == 1126540


def test_the_layer_on_silicon_has_even_fringes_of_43_nanometres(silicon: Scan) -> None:
    alignment = alignment_from_substrate(silicon, (0, 0, 4), 5.43102, 5.43102)
    crop = Crop(qx=(-0.02, 0.02), qz=(4.5, 4.8))
    found = map_from_scan(silicon, alignment, (0, 0, 4), (0.002, 0.0006), crop)
    rod = found["intensity"].where(found["mask"] == 0).sel(qx=slice(-0.004, 0.004)).mean("qx")
    layer = float(rod.sel(qz=slice(4.5, 4.6)).idxmax())
    assert 8 * np.pi / layer == pytest.approx(5.501, abs=0.002)  # silicon-germanium: c larger than silicon's
    beyond = rod.sel(qz=slice(4.64, 4.72))
    places = find_peaks(np.log(beyond.values + 0.5), prominence=0.15, distance=6)[0]
    spacing = np.diff(beyond["qz"].values[places])
    assert spacing.size == 4
    assert np.ptp(spacing) < 0.2 * spacing.mean()
    assert 2 * np.pi / spacing.mean() == pytest.approx(435, abs=15)


def test_the_111_peak_is_where_the_rasx_says_that_it_was_centred(mirror: Path) -> None:
    scan = read_scan(mirror / "lab_maps/rsm_111.rasx")
    assert dict(scan.sizes) == {"line": 401, "point": 301}
    assert peak_of(scan) == pytest.approx((19.702, 39.544), abs=0.01)


GALLIUM_OXIDE_A = 12.214 * np.sin(
    np.radians(103.83)
)  # monoclinic, b along the normal: 2 pi / a* in the plane


@pytest.mark.parametrize(
    ("name", "hkl", "lattice", "tolerance"),
    [
        ("sto_013_area.xrdml", (0, 1, 3), (3.905, 3.905), 0.1),  # SrTiO3, grazing incidence
        ("layer_m420_mesh.xrdml", (-4, 0, 2), (GALLIUM_OXIDE_A, 3.0371), 0.11),  # -4 2 0, grazing exit
    ],
)
def test_a_peak_of_a_real_xrdml_map_is_at_its_bragg_angle(
    mirror: Path, name: str, hkl: tuple[int, int, int], lattice: tuple[float, float], tolerance: float
) -> None:
    scan = read_scan(mirror / "lab_maps" / name)
    nominal = nominal_angles(
        hkl=hkl,
        a=lattice[0],
        c=lattice[1],
        wavelength=float(scan["wavelength"]),
        grazing_exit=hkl[0] < 0,
    )
    assert peak_of(scan) == pytest.approx(nominal, abs=tolerance)


def test_the_intensities_of_the_real_area_map_are_its_counts_since_no_attenuator_was_in(mirror: Path) -> None:
    scan = read_scan(mirror / "lab_maps/sto_013_area.xrdml")
    assert (scan["attenuation"] == 1).all()
    assert (scan["seconds"] == 3).all()
    assert (scan["counts"] == scan["counts"].round()).all()
    assert scan["omega"].values[[0, -1], 0] == pytest.approx([16.5866, 19.5866])


def test_the_real_mesh_holds_its_listed_positions_and_long_counting_time(mirror: Path) -> None:
    scan = read_scan(mirror / "lab_maps/layer_m420_mesh.xrdml")
    steps = np.diff(scan["two_theta"].values, axis=1)
    assert 0.0098 < steps.min() < steps.max() < 0.00985
    assert np.allclose(np.diff(scan["omega"].values[:, 0]), 0.01)
    assert (scan["seconds"] == 358.92).all()


# --- archives that are not to be trusted


@pytest.mark.parametrize(
    "name", ["../../outside.xml", "/etc/passwd", "..\\outside.xml", "C:\\outside.xml", "a\nb"]
)
def test_members_outside_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    for suffix, contents in (("brml", brml(snapshots(COUNTS))), ("rasx", rasx([ROWS]))):
        path = written_zip(tmp_path / f"a.{suffix}", {**contents, name: "x"})
        with pytest.raises(
            InputError,
            match=r"a plain file in the zip, found a name that (leads out of it|cannot be printed)",
        ):
            read_scan(path)
    assert not (tmp_path.parent / "outside.xml").exists()


def test_a_symbolic_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = written_zip(tmp_path / "a.rasx", rasx([ROWS]))
    link = zipfile.ZipInfo("Data0/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="a symbolic link"):
        read_scan(path)


def test_a_member_that_unpacks_a_thousand_times_is_refused(tmp_path: Path) -> None:
    path = written_zip(tmp_path / "a.brml", {**brml(snapshots(COUNTS)), "bomb.xml": b" " * 20_000_000})
    with pytest.raises(
        InputError,
        match=r"bomb\.xml.*: expected a plain file in the zip, found 20000000 bytes out of \d+, more than 200",
    ):
        read_scan(path)


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    path = written_zip(tmp_path / "a.rasx", {"Data0/Profile0.txt": b"1 2 3\n" * 1000, "root.xml": "<Root/>"})
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack("<I", 6000), content.index(b"PK\x01\x02"))
    content[place : place + 4] = struct.pack("<I", 60)  # the size in the central directory
    path.write_bytes(bytes(content))
    with Archive(path, TEXTS).opened() as read, pytest.raises(InputError, match=r"Profile0\.txt"):
        read("Data0/Profile0.txt")


def test_elements_nested_without_end_are_read_or_refused(tmp_path: Path) -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    contents = {**brml(snapshots(COUNTS)), "Experiment0/RawData1.xml": f"<RawData>{deep}</RawData>"}
    with pytest.raises(InputError, match=r"RawData1\.xml, DataRoute"):
        read_scan(written_zip(tmp_path / "a.brml", contents))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = written_zip(tmp_path / "a.rasx", rasx([ROWS]))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="an encrypted member"):
        read_scan(path)


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><{root}>&c;</{root}>"""
OUTSIDE = (
    """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><{root}>&a;</{root}>"""
)


@pytest.mark.parametrize("attack", [BOMB, OUTSIDE])
def test_entities_in_the_xml_of_an_archive_are_refused(tmp_path: Path, attack: str) -> None:
    members = {
        "a.brml": (brml(snapshots(COUNTS)), {"DataContainer": "Experiment0/DataContainer.xml"}),
        "b.brml": (brml(snapshots(COUNTS)), {"RawData": "Experiment0/RawData1.xml"}),
        "a.rasx": (rasx([ROWS]), {"Root": "root.xml"}),
        "b.rasx": (rasx([ROWS]), {"MeasurementConditions": "Data0/MesurementConditions0.xml"}),
    }
    for name, (contents, place) in members.items():
        ((root, member),) = place.items()
        path = written_zip(tmp_path / name, {**contents, member: attack.format(root=root)})
        with pytest.raises(InputError, match=f"{Path(member).name}: expected no document type"):
            read_scan(path)


# --- what is wrong is said in the words of the file


def changed(contents: dict[str, str | bytes], member: str, old: str, new: str) -> dict[str, str | bytes]:
    text = contents[member]
    assert isinstance(text, str)
    assert old in text
    return {**contents, member: text.replace(old, new)}


RAW = "Experiment0/RawData1.xml"
TABLE = "Experiment0/DataContainer.xml"
CONDITIONS = "Data0/MesurementConditions0.xml"


@pytest.mark.parametrize(
    ("member", "old", "new", "message"),
    [
        (TABLE, "RawData2.xml", "RawData7.xml", r"RawData7\.xml: file: expected to be in the zip"),
        (TABLE, "RawData2.xml", "RawData1.xml", "each scan once"),
        (TABLE, "<string>", "<text>", "a complete XML document"),
        (RAW, "Datum>", "Dotum>", "rows of equally many numbers"),
        (RAW, ",5.0,", ",five,", "Datum: expected numbers"),
        (RAW, ",5.0,", ",", r"6 numbers as DataViews says, found 5"),
        (RAW, 'Category="Count"', 'Category="Time"', "a recorded counter"),
        (
            RAW,
            'VisibleName="strip"/>',
            "><Size><X>2</X><Y>2</Y></Size></Recording>",
            "1 row of channels, found 2",
        ),
        (RAW, '<InfoData AxisId="Theta">', '<InfoData AxisId="Chi">', r"Drives\[Theta\]"),
        (RAW, 'AxisId="TwoTheta"', 'AxisId="Chi"', r"Drives\[TwoTheta\]"),
        (RAW, "<Increment>0.5<", "<Increment>5<", "TwoTheta/Increment: expected steps of 5 from 0 to 2"),
        (RAW, "<Increment>0.5<", "<Increment>0<", "Increment"),
        (
            "Experiment0/RawData0.xml",
            'WaveLengthAlpha1 Unit="Å"',
            'WaveLengthAlpha1 Unit="nm"',
            "a length in Å",
        ),
        (RAW, ",5.0,", ",-5.0,", "no negative counts"),
        (RAW, "9.0,1.0", "0.0,1.0", "positive seconds"),
        (RAW, "9.0,1.0", "9.0,0.0", "positive factors"),
    ],
)
def test_what_is_wrong_with_a_brml_is_said(
    tmp_path: Path, member: str, old: str, new: str, message: str
) -> None:
    contents = changed(dict(brml(snapshots(COUNTS))), member, old, new)
    with pytest.raises(InputError, match=message):
        read_scan(written_zip(tmp_path / "a.brml", contents))


@pytest.mark.parametrize(
    ("member", "old", "new", "message"),
    [
        ("root.xml", "<Data0", '<Data9 Type="Profile"/><Data0', "Data9/: expected a profile"),
        ("root.xml", 'Data0 Type="Profile"', 'Data0 Type="Image"', "root.xml: expected all 2 profiles"),
        (CONDITIONS, 'Name="Omega"', 'Name="Chi"', r"Axis\[Omega\]"),
        (CONDITIONS, 'Unit="deg" Offset="1.1"', 'Unit="rad" Offset="1.1"', "a position in deg"),
        (CONDITIONS, "<AxisName>TwoTheta", "<AxisName>Phi", "ScanInformation/AxisName.*found 'Phi'"),
        (CONDITIONS, "<DataCount>3", "<DataCount>4", "4 rows as declared, found 3"),
        (CONDITIONS, "<IntensityUnit>counts", "<IntensityUnit>V", "counts or cps"),
        (CONDITIONS, "<WaveType>Ka1", "<WaveType>La", "found 'La'"),
        (CONDITIONS, "ScanInformation>", "Other>", "the scanned axis"),
    ],
)
def test_what_is_wrong_with_a_rasx_is_said(
    tmp_path: Path, member: str, old: str, new: str, message: str
) -> None:
    contents = changed(rasx([ROWS, ROWS]), member, old, new)
    with pytest.raises(InputError, match=message):
        read_scan(written_zip(tmp_path / "a.rasx", contents))
