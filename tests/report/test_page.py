"""The page: whole, self-contained, the same for the same result, and quiet about what is not there."""

import base64
import re
from dataclasses import replace

import pytest
import xarray as xr
from nanotexture.errors import InputError
from nanotexture.report.format import reflection_text
from nanotexture.report.page import report_html, write_report
from nanotexture.report.result import open_result, result_from_tree
from nanotexture.schema import ALIGNMENT, THICKNESS_SCAN, labelled

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def page(results):
    return report_html(results["single"])


def test_images_are_embedded(page):
    sources = re.findall(r'<img src="([^"]+)"', page)
    assert len(sources) == 6
    for source in sources:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data)[:8] == PNG


def test_nothing_is_loaded_from_elsewhere(page):
    plain = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"(?:https?:)?//[a-z]", plain)
    assert not re.search(r"<(?:script|link|iframe|object|embed)\b|@import|url\(", plain)


def test_the_same_result_gives_the_same_bytes(page, results):
    assert report_html(results["single"]) == page


def test_numbers_have_errors_and_units(page):
    for told in ("234.62 ± 0.10 Å", "316.80 ± 0.70 Å", "3.9600 ± 0.0012 Å", "0.310 ± 0.020 Å", "0.981"):
        assert told in page
    assert "(8 SrTiO₃ / 8 PbTiO₃) × 5 on KTaO₃" in page


def test_a_written_report_is_the_page_of_the_stored_result(tmp_path, trees, monkeypatch):
    monkeypatch.setattr("nanotexture.report.gallery.data_uri", lambda figure: "data:,")
    tree = trees.result_tree(trees.SINGLE)
    del tree["maps"], tree["orders"]
    tree.to_zarr(tmp_path / "result.zarr", zarr_format=3, consolidated=False)
    out = write_report(tmp_path / "result.zarr", tmp_path / "deep" / "report.html")
    assert out.read_text(encoding="utf-8") == report_html(open_result(tmp_path / "result.zarr"))
    assert [one.name for one in out.parent.iterdir()] == ["report.html"]


def test_a_folder_without_a_result_is_named(tmp_path):
    with pytest.raises(InputError, match=r"expected a result\.zarr"):
        write_report(tmp_path, tmp_path / "report.html")
    xr.DataTree.from_dict({"/orders": xr.Dataset()}).to_zarr(tmp_path / "a.zarr", consolidated=False)
    with pytest.raises(InputError, match="/texture"):
        write_report(tmp_path / "a.zarr", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_names_from_outside_are_escaped(text, with_attrs):
    page = text(
        with_attrs(name="<script>alert(1)</script>", recipe='name = "<b>&"', warnings='["<i>hot</i>"]')
    )
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;i&gt;hot&lt;/i&gt;" in page
    assert "name = &#34;&lt;b&gt;&amp;&#34;" in page


def test_warnings_come_before_the_summary(text, with_attrs):
    page = text(with_attrs(warnings='["The map is clipped."]'))
    assert page.index("The map is clipped.") < page.index("<h2>Summary</h2>")
    assert "<h2>Warnings</h2>" not in text(with_attrs())


def test_one_reflection_shows_no_components(words):
    page = words["single"]
    assert "<h3>Gradient of u along Q</h3>" in page
    for absent in (
        "Strain and rotation",
        "Polarization",
        "Series",
        "Against the simulated truth",
        "Thickness scan",
    ):
        assert f"<h2>{absent}</h2>" not in page
        assert f"<h3>{absent}" not in page


def test_three_reflections_show_components_and_truth(words):
    page = words["three"]
    for there in ("Strain and rotation", "Polarization vectors", "Truth and result"):
        assert f"<h3>{there}</h3>" in page
    for hkl in ("-103", "103", "004"):
        assert f"<h3>{reflection_text(hkl)}: map</h3>" in page
    assert re.search(r"nrmse z</th><td>0\.13", page)
    assert re.search(r"period error \(%\)</th><td>0\.034", page)
    assert "correlation x" not in page  # NaN in this result


def test_a_series_has_a_column_and_a_motif_for_each_temperature(words):
    page = words["series"]
    assert "3 temperatures, 11 to 295 K" in page
    for kelvin in ("11 K", "120 K", "295 K"):
        assert f"<th>{kelvin}</th>" in page
        assert f"<h3>Displacement, {kelvin}</h3>" in page
    assert "<h3>Motif at each temperature</h3>" in page
    assert "236.52 ± 0.10 Å" in page


def test_sentences_that_differ_name_their_temperature_and_the_same_are_said_once(words):
    page = words["series"]
    assert "<li>295 K: The displacement of the average motif" in page
    assert page.index("<li>11 K: The displacement") < page.index("<summary>2 more</summary>")
    assert page.count("<li>The origin of x and a constant displacement") == 1


def test_failed_starts_leave_a_page_that_says_so(words):
    page = words["failed"]
    assert "displacement not determined; no solution" in page
    assert "there are fewer measured values than unknowns" in page
    assert "<h2>The motif</h2>" not in page
    assert not re.search(r">\s*-?(?:nan|inf)\b", page)


def test_inputs_versions_and_recipe_are_told(words):
    page = words["single"]
    assert "ab12" * 16 in page
    assert "torch 2.13.0" in page
    assert "in_plane = &#34;3.9885 angstrom&#34;" in page


def test_groups_and_attributes_that_are_absent_are_left_out(text, results):
    bare = replace(results["single"], maps={}, orders={}, solutions=None, clusters=None, attrs={})
    page = text(bare)
    assert "<h2>The motif</h2>" in page
    assert "<h2>Measured and calculated</h2>" not in page


def test_a_damaged_recipe_does_not_stop_the_report(text, with_attrs):
    assert "[film" in text(with_attrs(recipe="[film"))


def test_alignment_and_thickness_scans_are_shown(text, with_attrs):
    offsets = {"omega_offset": 0.0065, "omega_offset_std": 0.0015}
    offsets |= {"two_theta_offset": -0.0149, "two_theta_offset_std": 0.0023}
    lengths = {"thickness": 317.0, "thickness_std": 1.0, "c": 3.92, "c_std": 0.001}
    curve = {name: [1.0, 2.0, 3.0] for name in ("two_theta", "qz", "intensity", "model")}
    more = replace(
        with_attrs(),
        alignment=labelled(offsets, ALIGNMENT),
        thickness_scans={"002": labelled(curve | lengths, THICKNESS_SCAN)},
    )
    page = text(more)
    assert "(6.5 ± 1.5) × 10⁻³°" in page
    assert "(−0.0149 ± 0.0023)°" in page
    assert "<h3>Thickness scan 002</h3>" in page


def test_a_tree_of_one_group_is_a_result(trees):
    texture = trees.result_tree(trees.SINGLE)["texture"].to_dataset()
    assert result_from_tree(xr.DataTree.from_dict({"/texture": texture})).temperatures
