"""The result tree from small stage outputs: layout of the contract, NaN where not determined, round trip to disk."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.engine.store import write_tree_atomically
from nanotexture.film.config import FilmConfig, LayerConfig
from nanotexture.film.materials import built_in
from nanotexture.schema import labelled
from nanotexture.stages.domains import domains
from nanotexture.stages.energy import energy
from nanotexture.stages.models import DomainsConfig, EnergyConfig, SeriesConfig, TextureConfig
from nanotexture.stages.series import series
from nanotexture.stages.texture import texture
from nanotexture.store import CONTRACT, Extras, OneTemperature, hkl_name, result_tree
from nanotexture.texture.grid import resampled, shifted

NX, NZ, PLANES, POINTS, STARTS = 11, 9, 6, 8, 4
ONE = ((-1, 0, 3),)
THREE = ((-1, 0, 3), (1, 0, 3), (0, 0, 2))
OBLIQUE = np.array([[-0.32, np.sqrt(1 - 0.32**2)]])
WORDS = {"outcome": ["converged"] * (STARTS - 1) + ["not determined"]}


def filled(entries, sizes, seed=0, **given):
    """A dataset as schema says, positive random numbers where nothing is given."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, entry in entries.items():
        if entry.optional and not set(entry.dims) <= set(sizes):
            continue
        shape = tuple(sizes[d] for d in entry.dims)
        if entry.kind in "iu":
            values[name] = np.zeros(shape, np.uint8 if entry.kind == "u" else np.int64)
        elif entry.kind == "f":
            values[name] = rng.uniform(1, 2, shape)
    return labelled(values | given, entries)


def axis(hkl, which, shift):
    middle = 2 * np.pi * abs(hkl[0]) / 3.9 * np.sign(hkl[0]) if which == "qx" else 2 * np.pi * hkl[2] / 4.0
    return middle + 0.01 * (np.arange(NX if which == "qx" else NZ) - 4) + shift


def one_map(hkl, temperature, shift, seed=0):
    rng = np.random.default_rng(seed)
    mask = np.zeros((NX, NZ), np.uint8)
    mask[2, 3] = 1
    counts = rng.poisson(50.0, (NX, NZ)).astype(float)
    counts[2, 3] = np.nan
    given = {
        "qx": axis(hkl, "qx", shift), "qz": axis(hkl, "qz", shift), "intensity": counts,
        "variance": np.maximum(np.nan_to_num(counts), 1),
        "mask": mask, "hkl": np.array(hkl), "temperature": temperature,
    }  # fmt: skip
    return filled(schema.MAP, {"qx": NX, "qz": NZ, "index": 3}, **given)


def one_temperature(
    hkls=ONE, temperature=float("nan"), shift=0.0, clusters=2, seed=0, solver="motif", delta=50.0
):
    fields = 1 if len(hkls) == 1 else 2
    sizes = {
        "reflection": len(hkls), "index": 3, "order": 3, "row": NZ, "column": NX, "start": STARTS, "cluster": clusters,
        "field": fields,
        "axis": 2, "x": POINTS, "z": PLANES, "trial": 2, "pilot": 1,
    }  # fmt: skip
    given = {
        "hkl": np.array(hkls), "order": np.array([-1, 0, 1]), "temperature": temperature, "period": 120.0 + seed,
        "qx": np.stack([axis(h, "qx", shift) for h in hkls]), "qz": np.stack([axis(h, "qz", shift) for h in hkls]),
    }  # fmt: skip
    orders = filled(schema.ORDERS, sizes, seed, **given)
    orders["intensity"][0, 2, 4] = np.nan
    labels = np.array([0, 0, 1, -1]) if clusters else np.full(STARTS, -1)
    rng = np.random.default_rng(seed)
    motif = rng.normal(size=(clusters, fields, POINTS, PLANES))
    found = filled(
        schema.CLUSTERS,
        sizes,
        seed,
        **WORDS,
        label=labels,
        start=np.arange(STARTS),
        axis=OBLIQUE if fields == 1 else np.eye(2),
        field=motif - motif.mean((2, 3), keepdims=True),
        x=np.arange(POINTS) / POINTS,
        z=np.arange(PLANES) * 4.0,
        inversion_delta_cost=delta,
    )
    if not clusters:
        for name in ("model", "field_std", "slope_std", "gap", "determined"):
            found[name] = found[name] * np.nan
            found[name].attrs.update(filled(schema.CLUSTERS, sizes | {"cluster": 1}, **WORDS)[name].attrs)
    for name in ("field_std", "polar_std"):
        if name in found:
            found[name] = 0.1 * found[name]  # below its field: what is not would be NaN
            found[name].attrs.update(filled(schema.CLUSTERS, sizes | {"cluster": 1}, **WORDS)[name].attrs)
    found.attrs["solver"] = solver
    maps = tuple(one_map(h, temperature, shift, seed + i) for i, h in enumerate(hkls))
    choice = filled(schema.MODE_CHOICE, sizes, tie="none", pilot_tie=["none"])
    return OneTemperature(
        maps, orders, found, choice, texture(orders, found, reference(), config=TextureConfig())
    )


def reference():
    return filled(schema.REFERENCE, {"z": PLANES}, z=np.arange(PLANES) * 4.0)


def together(*temperatures):
    """What follows from the answers of all temperatures, as a run makes it."""
    ordered = sorted(temperatures, key=lambda one: float(one.orders["temperature"]))
    textures, orders = ([getattr(one, name) for one in ordered] for name in ("texture", "orders"))
    found = domains(textures, reference(), config=DomainsConfig(seed=0))
    film = FilmConfig(in_plane=3.9, layers=(LayerConfig(material=built_in("PbTiO3"), cells=6, c=4.0),))
    energies = energy(textures, reference(), config=EnergyConfig(film=film, seed=0))
    trend = series(orders, textures, reference(), found, config=SeriesConfig())
    return {"domains": found, "energy": energies, "series": trend}


def tree_of(*temperatures, **extras):
    extras = Extras(reference(), **together(*temperatures), **extras)
    return result_tree(list(temperatures), extras, {"contract": CONTRACT, "creator": "nanotexture"})


CASES = {
    "one reflection": lambda: tree_of(one_temperature()),
    "three reflections": lambda: tree_of(one_temperature(THREE)),
    "two temperatures": lambda: tree_of(
        one_temperature(THREE, 300.0, 0.004, seed=1), one_temperature(THREE, 11.0)
    ),
    "two temperatures of one reflection": lambda: tree_of(
        one_temperature(ONE, 300.0, seed=1), one_temperature(ONE, 11.0, clusters=3)
    ),
    "nothing found": lambda: tree_of(one_temperature(clusters=0)),
}


@pytest.fixture(params=CASES, scope="module")
def tree(request):
    return CASES[request.param]()


def test_every_group_of_the_contract_is_there(tree):
    assert {"maps", "solutions", "clusters", "texture", "domains", "energy", "series"} <= set(tree.children)
    assert tree.attrs["contract"] == 1
    assert tree.attrs["warnings"] == "[]"


def test_every_variable_and_coordinate_has_units_long_name_and_comment(tree):
    for node in tree.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            for key in ("units", "long_name", "comment"):
                assert variable.attrs.get(key), f"{node.path}/{name} has no {key}"


def test_every_group_is_as_the_schema_says(tree):
    schema.check(tree["texture"].to_dataset(), schema.RESULT_TEXTURE)
    schema.check(tree["solutions"].to_dataset(), schema.RESULT_SOLUTIONS)
    schema.check(tree["clusters"].to_dataset(), schema.RESULT_CLUSTERS)
    for name, entries in (
        ("domains", schema.DOMAINS),
        ("energy", schema.ENERGY),
        ("series", schema.SERIES),
    ):
        schema.check(tree[name].to_dataset(), entries)
    for name in tree["maps"].children:
        schema.check(tree[f"maps/{name}"].to_dataset(), schema.RESULT_MAP)
        schema.check(tree[f"orders/{name}"].to_dataset(), schema.RESULT_ORDERS)


def test_the_texture_has_the_dims_of_the_contract(tree):
    found = tree["texture"]
    assert found["displacement"].dims == ("temperature", "component", "x", "z")
    assert list(found["component"].values) == ["x", "z"]
    assert list(found["strain_component"].values) == ["xx", "zz", "xz"]
    x = found["x"].values
    assert x[0] == 0.0
    assert (x < 1).all()
    np.testing.assert_allclose(found["x_position"], found["period"].values[:, None] * x)
    assert found.attrs["inversion"] in ("resolved", "unresolved")


def test_every_group_goes_to_disk_and_comes_back(tree, tmp_path):
    write_tree_atomically(tree, tmp_path / "result.zarr")
    with xr.open_datatree(tmp_path / "result.zarr", engine="zarr", consolidated=False) as back:
        back = back.load()
    assert {node.path for node in back.subtree} == {node.path for node in tree.subtree}
    for node in tree.subtree:
        one, other = node.to_dataset(inherit=False), back[node.path].to_dataset(inherit=False)
        assert set(one.variables) == set(other.variables)
        for name, variable in one.variables.items():
            assert variable.dims == other[name].dims
            assert variable.attrs == other[name].attrs
            np.testing.assert_array_equal(variable.values, other[name].values.astype(variable.dtype))


def test_one_reflection_leaves_components_nan_and_gives_the_displacement_along_q():
    tree = CASES["one reflection"]()
    found = tree["texture"]
    for name in ("displacement", "displacement_std", "polarization", "strain", "rotation"):
        assert np.isnan(found[name]).all(), name
    assert np.isfinite(found["displacement_along_q"]).all()
    np.testing.assert_allclose(found["displacement_along_q"].mean(), 0.0, atol=1e-12)
    assert np.isfinite(tree["clusters/displacement_along_q"][0, :2]).all()
    assert np.isnan(tree["clusters/displacement"]).all()


def test_three_reflections_give_components_and_no_displacement_along_q():
    found = CASES["three reflections"]()["texture"]
    for name in ("displacement", "displacement_std", "strain", "strain_std", "rotation"):
        assert np.isfinite(found[name]).all(), name
    assert np.isnan(found["polarization"]).all()
    assert "displacement_along_q" not in found


def test_a_run_that_found_nothing_says_so_in_nan():
    tree = CASES["nothing found"]()
    found = tree["texture"]
    for name in ("displacement", "displacement_along_q", "strain", "gap", "cost", "determined"):
        assert np.isnan(found[name]).all(), name
    assert np.isfinite(found["period"]).all()
    assert np.isnan(tree["maps/-103/model"]).all()
    assert (tree["solutions/cluster"] == -1).all()
    assert np.isnan(tree["clusters/weight"]).all()


def test_temperatures_are_in_rising_order_and_keep_what_is_theirs():
    cold, warm = one_temperature(THREE, 11.0), one_temperature(THREE, 300.0, seed=1)
    tree = tree_of(warm, cold)
    found = tree["texture"]
    np.testing.assert_array_equal(found["temperature"], [11.0, 300.0])
    np.testing.assert_array_equal(found["period"], [120.0, 121.0])
    np.testing.assert_allclose(found["displacement"][0], cold.texture["displacement"])
    np.testing.assert_allclose(found["displacement"][1], warm.texture["displacement"])


def test_all_that_follows_from_the_answers_runs_along_the_same_temperatures():
    tree = CASES["two temperatures"]()
    for name in ("texture", "domains", "energy", "series"):
        np.testing.assert_array_equal(tree[name]["temperature"], [11.0, 300.0])
    assert tree["domains"].sizes["z"] == tree["texture"].sizes["z"]
    assert np.isnan(tree["series/transition_temperature"])
    assert "5 or more" in tree["series"].attrs["transition"]


def test_clusters_lie_on_the_grid_and_at_the_place_of_the_answer():
    one = one_temperature(THREE)
    finer, coarse = dict(one.clusters.sizes), one.clusters
    wide = resampled(coarse["field"].values, 2 * finer["x"])
    other = coarse.drop_vars(["x", "field", "field_std", "slope_std"]).assign(
        x=("x", np.arange(2 * finer["x"]) / (2 * finer["x"])),
        field=(("cluster", "field", "x", "z"), shifted(3 * wide, 0.25)),
        field_std=(("field", "x", "z"), np.full(wide.shape[1:], 0.1)),
        slope_std=(("field", "axis", "x", "z"), np.ones((2, 2, *wide.shape[2:]))),
    )
    answer = texture(one.orders, coarse, reference(), [coarse, other], config=TextureConfig())
    assert float(answer["x_shift"]) == pytest.approx(0.25)
    assert answer.sizes["x"] == 2 * finer["x"]
    np.testing.assert_allclose(answer["displacement"], shifted(wide, 0.25)[0], atol=1e-12)
    tree = tree_of(replace(one, texture=answer))
    np.testing.assert_allclose(tree["clusters/displacement"][0, 0], answer["displacement"], atol=1e-12)


def test_maps_of_other_grids_come_onto_the_first_and_what_they_lack_is_masked():
    tree = CASES["two temperatures"]()
    found = tree["maps/103"].to_dataset()
    np.testing.assert_allclose(found["qx"], axis((1, 0, 3), "qx", 0.0))
    assert found["intensity"].shape == (2, NX, NZ)
    missing = np.isnan(found["intensity"].values)
    np.testing.assert_array_equal(found["mask"].values != 0, missing)
    assert missing[1, :1].all()  # the second grid starts 0.4 voxels later
    assert (~missing[1]).mean() > 0.5


def test_a_grid_that_differs_by_rounding_is_the_same_grid():
    tree = tree_of(one_temperature(THREE, 11.0), one_temperature(THREE, 300.0, shift=1e-12, seed=1))
    assert tree["maps/103"].sizes["qx"] == NX
    assert tree["orders/103"].sizes["qz"] == NZ
    assert np.isfinite(tree["orders/103/variance"]).all()


def test_the_model_is_orders_times_lines_plus_background():
    one = one_temperature(THREE)
    found = tree_of(one)["maps/103/model"].values[0]
    r = 1
    expected = one.orders["background"].values[r].copy()
    for n in range(3):
        expected += np.outer(one.orders["line"].values[r, n], one.clusters["model"].values[r, n])
    np.testing.assert_allclose(found, expected)


def test_a_reflection_missing_at_one_temperature_keeps_the_others_apart():
    cold, warm = one_temperature(THREE[:2], 11.0), one_temperature(THREE, 300.0, seed=1)
    tree = tree_of(cold, warm)
    np.testing.assert_array_equal(tree["maps/002/temperature"], [300.0])
    np.testing.assert_array_equal(tree["maps/103/temperature"], [11.0, 300.0])
    alone = tree_of(cold)["texture/amplitude_correlation"].values[0]
    assert tree["texture/amplitude_correlation"].values[0] == pytest.approx(alone)


def test_the_inversion_is_resolved_only_if_it_is_at_every_temperature():
    good, open_ = one_temperature(THREE, 11.0), one_temperature(THREE, 300.0, delta=1.0)
    assert tree_of(good)["texture"].attrs["inversion"] == "resolved"
    assert tree_of(good, open_)["texture"].attrs["inversion"] == "unresolved"
    assert tree_of(one_temperature(solver="window"))["texture"].attrs["inversion"] == "unresolved"


def test_a_perfect_answer_has_perfect_scores():
    one = one_temperature(THREE)
    truth = filled(
        schema.TRUTH, {"component": 2, "strain_component": 3, "x": POINTS, "z": PLANES},
        x=one.texture["x"].values, z=one.texture["z"].values, temperature=float("nan"),
        displacement=one.texture["displacement"].values, period=120.0, thickness=float(one.texture["thickness"]) / 1.1,
    )  # fmt: skip
    found = tree_of(replace(one, truth=truth))["score"]
    np.testing.assert_allclose(found["nrmse"], 0.0, atol=1e-6)
    np.testing.assert_allclose(found["correlation"], 1.0)
    assert float(found["period_error"][0]) == pytest.approx(0.0)
    assert float(found["thickness_error"][0]) == pytest.approx(10.0)
    assert float(found["success_rate"][0]) == 0.5  # of four starts two are in the cluster that is the truth


@pytest.mark.parametrize(
    ("hkl", "name"),
    [((-1, 0, 3), "-103"), ((0, 0, 2), "002"), ((1, 0, 12), "1_0_12"), ((-1, 0, -3), "-10-3")],
)
def test_names_of_reflections(hkl, name):
    assert hkl_name(np.array(hkl)) == name


def test_extras_are_groups_of_their_own():
    alignment = filled(schema.ALIGNMENT, {})
    scan = filled(schema.THICKNESS_SCAN, {"point": 5})
    tree = tree_of(
        one_temperature(), alignment=alignment, thickness_scans={"a": scan}, warnings=("mind the gap",)
    )
    assert SimpleNamespace(**tree["alignment"].data_vars).omega_offset.attrs["units"] == "deg"
    assert tree["thickness_scan/a"].sizes["point"] == 5
    assert "mind the gap" in tree.attrs["warnings"]


def test_a_displacement_that_may_be_a_polarization_is_not_given_where_one_was_asked_for():
    """001 and 103 do not tell P_x from u_x: neither it nor what follows from it is in the answer or in a cluster."""
    one = one_temperature(((0, 0, 1), (1, 0, 3)))
    film = FilmConfig(in_plane=3.9, layers=(LayerConfig(material=built_in("PbTiO3"), cells=6, c=4.0),))
    asked = TextureConfig(polar_film=film)
    found = one.clusters.assign(
        polar_axis=(("polar", "axis"), np.eye(2)[1:])
    )  # P_z is told, by 001 against 103
    mixed = replace(one, texture=texture(one.orders, found, reference(), config=asked))
    tree = tree_of(mixed)
    answer, clusters = tree["/texture"], tree["/clusters"]
    for found in (answer["displacement"].values[0], clusters["displacement"].values[0, 0]):
        assert np.isnan(found[0]).all()
        assert np.isfinite(found[1]).all()
    assert np.isfinite(answer["strain"].values[0]).all(axis=(1, 2)).tolist() == [False, True, False]
    assert np.isnan(answer["rotation"].values).all()
    assert json.loads(answer.attrs["determined_components"]) == ["z"]
    assert np.isfinite(tree_of(one)["/texture"]["displacement"].values).all()


@pytest.mark.parametrize(("cost", "described"), [(1.0, "yes"), (50.0, "no")])
def test_an_answer_that_misses_the_data_is_marked_and_its_inversion_open(cost, described):
    one = one_temperature()
    poor = one.clusters.copy()
    poor["cluster_cost"] = poor["cluster_cost"] * 0 + cost
    poor["cluster_cost"].attrs.update(one.clusters["cluster_cost"].attrs)
    good = replace(one, clusters=poor, texture=texture(one.orders, poor, reference(), config=TextureConfig()))
    attrs = tree_of(
        one_temperature(temperature=10.0), replace(good, orders=one_temperature(temperature=20.0).orders)
    )["/texture"].attrs
    assert good.texture.attrs["model_describes_data"] == described
    assert attrs["inversion"] == ("resolved" if described == "yes" else "unresolved")
