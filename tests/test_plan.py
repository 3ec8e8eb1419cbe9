"""A recipe as tasks: what belongs together, what is asked for, and what changes a task's name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from nanotexture.errors import UserError
from nanotexture.plan import RunPlan, film_config, plan_recipe
from nanotexture.recipe import read_recipe
from nanotexture.runner import prepare_run

from .map_files import RECIPE, simulated, write_map, write_recipe
from .recipes_pruned import PRUNED, RECIPES

ANSWERS = {"texture", "domains", "energy", "settle", "leave_out", "series"}  # what follows from the clusters
QUICK = RECIPES / "quickstart.toml"


def planned(path: Path, *changes: str) -> RunPlan:
    return plan_recipe(read_recipe(path, changes), path)


def stages(plan: RunPlan) -> Counter[str]:
    """Number of tasks by stage, those that others need included."""
    seen, waiting = {}, list(plan.wanted)
    while waiting:
        task = waiting.pop()
        if task.name not in seen:
            seen[task.name] = task.stage.name
            waiting += task.upstream
    return Counter(seen.values())


def names(plan: RunPlan) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    waiting = list(plan.wanted)
    while waiting:
        task = waiting.pop()
        found.setdefault(task.stage.name, set()).add(task.name)
        waiting += task.upstream
    return found


def test_starts_make_batches_that_only_the_recipe_decides() -> None:
    plan = planned(QUICK, *PRUNED["quickstart"], "invert.starts=7", "invert.batch=3")
    (grouped,) = (task for task in plan.series[0].clusters.upstream if task.stage.name == "group")
    batches = [task.config.starts for task in grouped.upstream if task.stage.name == "invert"]
    assert batches == [(0, 1, 2), (3, 4, 5), (6,)]


def test_many_starts_do_not_make_many_tasks() -> None:
    plan = planned(QUICK, *PRUNED["quickstart"], "invert.starts=10000", "invert.batch=1")
    assert stages(plan)["invert"] == 400


def test_fixed_modes_are_not_tried() -> None:
    assert stages(planned(QUICK, "invert.harmonics=3", "invert.polynomials=4"))["trial"] == 1
    assert stages(planned(QUICK))["trial"] > 2


def test_more_starts_add_batches_and_leave_the_others() -> None:
    few, more = (names(planned(QUICK, *PRUNED["quickstart"], f"invert.starts={n}")) for n in (4, 6))
    assert few["invert"] < more["invert"]
    assert {name for name in few if few[name] != more[name]} == {"invert", "group", "weigh"} | ANSWERS


def test_the_recipes_name_names_no_task() -> None:
    told = PRUNED["quickstart"]
    assert names(planned(QUICK, *told)) == names(planned(QUICK, *told, "name=other"))


def test_another_seed_of_the_inversion_leaves_the_simulation() -> None:
    told = PRUNED["quickstart"]
    one, other = names(planned(QUICK, *told)), names(planned(QUICK, *told, "invert.seed=5"))
    assert one["simulate_map"] == other["simulate_map"]
    assert not one["invert"] & other["invert"]


def test_an_added_temperature_leaves_the_maps_and_orders_of_the_others(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    write_map(tmp_path / "a.nxs", simulated((1, 0, 3)), temperature=300.0)
    before = names(planned(recipe))
    write_map(tmp_path / "b.nxs", simulated((1, 0, 3)), temperature=400.0)
    after = names(planned(recipe))
    assert before["load"] < after["load"]
    assert before["prepare"] < after["prepare"]


def test_a_file_is_known_by_its_bytes_and_not_by_its_place(tmp_path: Path) -> None:
    found = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        path = tmp_path / "one" / "a.nxs"
        if not path.exists():
            write_map(path, simulated((1, 0, 3)))
        (folder / "a.nxs").write_bytes(path.read_bytes())
        found.append(names(planned(write_recipe(folder))))
    assert found[0] == found[1]


def test_temperatures_come_in_rising_order(tmp_path: Path) -> None:
    for name, temperature in (("a.nxs", 400.0), ("b.nxs", 11.0), ("c.nxs", 300.0)):
        write_map(tmp_path / name, simulated((1, 0, 3)), temperature=temperature)
    assert [one.temperature for one in planned(write_recipe(tmp_path)).series] == [11.0, 300.0, 400.0]


def test_the_window_solver_has_its_own_stage() -> None:
    found = stages(planned(QUICK, *PRUNED["quickstart"], "invert.solver=window"))
    assert found["window"] == 2
    assert "invert" not in found


def test_the_window_solver_tries_no_numbers_of_modes() -> None:
    assert stages(planned(QUICK, "invert.solver=window"))["trial"] == 1


def test_the_measured_film_is_aligned_and_scanned(mirror: Path) -> None:
    found = stages(planned(RECIPES / "pto_kto.toml"))
    assert {"align", "convert", "scan_thickness", "prepare", "texture"} <= set(found)
    assert "simulate_map" not in found


def test_a_stack_keeps_the_order_of_its_layers(tmp_path: Path) -> None:
    stack = ", ".join(
        f'{{ material = "{m}", cells = {n}, c = "4 angstrom" }}' for m, n in (("SrTiO3", 3), ("PbTiO3", 5))
    )
    text = RECIPE.replace(
        'material = "PbTiO3"\nc = "4.08 angstrom"\nthickness = "120 angstrom"',
        f"stack = [{stack}]\nrepeat = 2",
    )
    recipe = write_recipe(tmp_path, text)
    film = film_config(read_recipe(recipe).film, recipe)
    assert [(layer.material.name, layer.cells) for layer in film.layers] == [("SrTiO3", 3), ("PbTiO3", 5)]
    assert film.repeat == 2


def test_a_thickness_scan_needs_a_film_of_one_material(tmp_path: Path) -> None:
    stack = 'stack = [{ material = "SrTiO3", cells = 3, c = "4 angstrom" }, { material = "PbTiO3", cells = 3, c = "4 angstrom" }]'
    text = RECIPE.replace('material = "PbTiO3"\nc = "4.08 angstrom"\nthickness = "120 angstrom"', stack)
    text = text.replace("[film]", 'thickness_scan = { file = "a.ras", hkl = [0, 0, 2] }\n[film]')
    write_map(tmp_path / "a.nxs", simulated((1, 0, 3)))
    with pytest.raises(UserError, match=r"input.thickness_scan: expected only with a film of one material"):
        planned(write_recipe(tmp_path, text))


SERIES = RECIPES / "sim_cro_laminate_series.toml"


def test_a_simulated_series_has_a_texture_a_truth_and_maps_at_every_temperature() -> None:
    plan = planned(SERIES)
    assert [one.temperature for one in plan.series] == [10.0, 80.0, 150.0, 210.0, 300.0]
    found = Counter(task.stage.name for task in plan.simulated)
    assert found == {"simulate_map": 20, "simulate_truth": 5}
    assert stages(plan)["simulate_texture"] == 5
    assert [one.maps[0].config.temperature for one in plan.series] == [10.0, 80.0, 150.0, 210.0, 300.0]
    textures = {one.truth.upstream[0].config.texture.temperature for one in plan.series if one.truth}
    assert textures == {10.0, 80.0, 150.0, 210.0, 300.0}


def test_an_added_temperature_leaves_what_is_simulated_at_the_others() -> None:
    few, more = (names(planned(SERIES, f"simulate.temperatures={t}")) for t in (["10 K"], ["10 K", "99 K"]))
    for stage in ("simulate_texture", "simulate_bright", "simulate_map", "simulate_truth"):
        assert few[stage] < more[stage]


def test_more_counts_leave_the_texture_and_its_brightness() -> None:
    one, other = (names(planned(QUICK, f"simulate.peak_counts={n}")) for n in ("1e5", "1e7"))
    assert one["simulate_bright"] == other["simulate_bright"]
    assert not one["simulate_map"] & other["simulate_map"]


def test_a_texture_that_does_not_depend_on_it_is_made_once_for_all_temperatures() -> None:
    found = stages(planned(QUICK, "simulate.temperatures=['10 K', '20 K']"))
    assert (found["simulate_texture"], found["simulate_bright"], found["simulate_map"]) == (1, 3, 6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "simulate.texture.tilt=90.0",
            r"quickstart.toml: simulate.texture.tilt: expected -80 to 80 degrees, found 90",
        ),
        ("simulate.texture.wall='90 angstrom'", r"simulate.texture.wall: expected 0 to 60 angstrom"),
        ("simulate.energy='900 keV'", r"simulate: instrument.energy_kev: expected"),
    ],
)
def test_what_makes_no_simulation_is_refused_by_recipe_and_field(change: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        planned(QUICK, change)


def test_a_simulated_film_of_one_material_needs_its_thickness(tmp_path: Path) -> None:
    text = QUICK.read_text(encoding="utf-8").replace('thickness = "204 angstrom"\n', "")
    with pytest.raises(UserError, match=r"film.thickness: expected, since a simulated film has one"):
        planned(write_recipe(tmp_path, text))


def test_memory_grows_with_the_batch(tmp_path: Path) -> None:
    small, large = (prepare_run(QUICK, tmp_path, (f"invert.batch={n}",)) for n in (8, 800))
    assert 300 * 2**20 < small.job.worker_bytes < large.job.worker_bytes
