"""What a record draws: vanishing is fading, a break-down is seen, numbers agree with the record."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.made_records import make_record
from support.small_tables import HOSTILE

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.catalogue import catalogue, finding
from retrograd.diagnosis.record.store import MemoryStore
from retrograd.report.charts.findings import finding_views
from retrograd.report.charts.heat import ColorScale, heat_map, scale_legend
from retrograd.report.charts.record_curves import curve_chart, step_charts
from retrograd.report.charts.record_flow import flow_panels
from retrograd.report.charts.record_histograms import histogram_pictures
from retrograd.report.charts.record_layers import layer_rows
from retrograd.report.charts.run_charts import metric_curves
from retrograd.report.words.figures import figure

STEPS = np.arange(1, 101)
WHOLE = np.zeros(100, bool)


def _opacities(svg: str) -> dict[float, float]:
    """How strong the colour is at the top of each column, by the column's left edge."""
    found = {}
    for path in ET.fromstring(svg).iter("path"):
        if (path.get("class") or "").startswith("heat"):
            for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", path.get("d") or ""):
                if float(y) == 10:
                    found[float(x)] = float(path.get("fill-opacity") or 0)
    return dict(sorted(found.items()))


def test_what_vanishes_fades_by_equal_shades() -> None:
    values = np.tile(10.0 ** -np.arange(6), (100, 1))
    picture = heat_map("t", STEPS, list("abcdef"), values, ColorScale.of([values]), "bwd", WHOLE)
    strengths = list(_opacities(picture).values())
    assert len(strengths) == 6
    assert strengths[0] == 1
    assert np.diff(strengths) == pytest.approx(np.full(5, np.diff(strengths).mean()), abs=0.045)
    assert strengths[-1] < 0.1


def test_what_is_zero_has_no_colour_and_what_is_no_number_has_its_own() -> None:
    values = np.ones((100, 3))
    values[:, 1] = 0
    values[90:, 2] = np.nan
    broken = STEPS > 90
    picture = heat_map("t", STEPS, list("abc"), values, ColorScale.of([values]), "fwd", broken)
    assert len(_opacities(picture)) == 2
    assert picture.count('class="heat broken"') == 1
    whole = heat_map("t", STEPS, list("abc"), values, ColorScale.of([values]), "fwd", WHOLE)
    assert "broken" not in whole  # there NaN says that nothing was measured


def test_a_series_on_a_schedule_goes_on_as_it_was() -> None:
    values = np.where(STEPS[:, None] % 16 < 2, 10.0 ** np.arange(3), np.nan)
    picture = heat_map("t", STEPS, list("abc"), values, ColorScale.of([values]), "fwd", WHOLE)
    heights = [float(h) for h in re.findall(r"v([\d.]+)h-", picture)]
    assert sum(heights) == pytest.approx(3 * 230, abs=0.5)  # all cells are filled


def test_the_scale_encloses_what_it_shows() -> None:
    scale = ColorScale.of([np.array([[3e-7, 0.0, np.nan, np.inf]]), np.array([[40.0]])])
    assert (scale.low, scale.high) == (-7, 2)
    assert ColorScale.of([np.array([[1.0]])]).high - ColorScale.of([np.array([[1.0]])]).low == 4
    assert ColorScale.of([np.array([[1e-40, 1.0]])]).low == -16
    assert ColorScale.of([np.zeros((3, 2))]) == ColorScale.of([])
    legend = ET.fromstring(scale_legend(scale, [("fwd", "forward"), ("bwd", HOSTILE)]))
    assert {"10⁻⁷", "10⁻⁵", "10"} <= {each.text for each in legend.iter("text")}


@pytest.mark.parametrize("fading", [0.9, 0.1])
def test_the_flow_pictures_show_how_far_the_gradient_gets(tmp_path: Path, fading: float) -> None:
    record = make_record(tmp_path / "record", fading=fading)
    panels, legend, broken = flow_panels(record)
    assert [panel.title for panel in panels] == [
        "Activations",
        "Cotangents",
        "Gradients",
        "Updates",
    ]
    assert legend
    assert broken == 0
    cotangents = list(_opacities(panels[1].picture).values())
    assert len(cotangents) == len(record.layers) == 8
    # From the last layer to the first it is 3.5 powers of ten on a scale of about eight, or none.
    assert (cotangents[-1] - cotangents[0] > 0.35) == (fading == 0.1)
    assert (cotangents[-1] - cotangents[0] < 0.1) == (fading == 0.9)
    for panel, series in zip(panels[2:], ("gradient_norm", "update_ratio"), strict=True):
        for name, first, low, high, last in panel.rows:
            values = record.series(series, name)
            expected = values[0], values.min(), values.max(), values[-1]
            assert (first, low, high, last) == tuple(figure(float(v), 3) for v in expected)


@pytest.mark.parametrize("columns", [1, 3, 9, 48])
def test_the_names_below_a_flow_picture_are_whole(columns: int) -> None:
    names = [f"layers.{n}.attention.weight" for n in range(columns)]
    values, steps = np.ones((5, columns)), np.arange(1, 6)
    svg = heat_map("Flow", steps, names, values, ColorScale(-4, 0), "fwd", np.zeros(5, bool))
    tree = ET.fromstring(svg)
    slanted = [each for each in tree.iter("text") if each.get("transform")]
    assert slanted
    for each in slanted:
        place = re.match(
            r"translate\(([\d.]+) ([\d.]+)\) rotate\(-38\)", each.get("transform") or ""
        )
        assert place is not None
        length = 8.5 * len(each.text or "")  # in the letters of a narrow page, of 16 px
        assert float(place[1]) - length * math.cos(math.radians(38)) >= 0
        height = float((tree.get("viewBox") or "").split()[-1])
        assert float(place[2]) + length * math.sin(math.radians(38)) <= height


def test_steps_without_numbers_are_counted_and_drawn() -> None:
    panels, _, broken = flow_panels(make_record(MemoryStore(), end="nan"))
    assert broken == 20
    assert all('class="heat broken"' in panel.picture for panel in panels)


def test_a_parameter_without_a_finite_value_has_an_empty_column() -> None:
    model = nn.Linear(2, 1)
    nn.init.zeros_(model.bias)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = np.ones((4, 2), np.float32)
    with rg.record(model, optimizer) as record:
        nn.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()
    panels, _, broken = flow_panels(record)
    updates = ET.fromstring(panels[3].picture)  # of a weight of 0 an update is no share
    told = {each.text for each in updates.iterfind("./rect/title")}
    assert broken == 0
    assert "bias: no finite value" in told
    assert len(told) == 2
    assert len(updates.findall("path")) == 1  # the weight's column alone is colored


def test_a_wide_network_is_thinned_evenly() -> None:
    record = make_record(MemoryStore(), depth=60)
    panels, _, _ = flow_panels(record)
    assert [panel.left_out for panel in panels] == [72, 72, 12, 12]
    assert all(len(panel.rows) == 48 for panel in panels)
    assert panels[2].rows[0][0] == "0.weight"  # of many parameters the matrices are shown
    assert sum(len(panel.picture) for panel in panels) < 400_000


def test_curves_break_off_where_numbers_end() -> None:
    record = make_record(MemoryStore(), end="nan")
    titles = [ET.fromstring(chart)[0].text for chart in step_charts(record)]
    assert titles[:3] == ["Loss by step", "Size of the gradient", "Learning rate"]
    assert "then not finite" in step_charts(record)[0]
    every = np.where(STEPS % 10 == 0, STEPS * 1.0, np.nan)
    (line,) = (
        path
        for path in ET.fromstring(curve_chart("t", "u", STEPS, [("a", every, "fwd")])).iter("path")
    )
    assert (line.get("d") or "").count("L") == 9  # a scheduled series is one line
    assert curve_chart("t", "u", STEPS, [("a", np.full(100, np.nan), "fwd")]) == ""


def test_an_error_by_epoch_says_what_it_is_counted_in() -> None:
    """The report's table has it in the target's units, the record as it is trained on."""
    epochs = [{"epoch": n, "scores": {"rmse": 1 / n, "r2": 1 - 1 / n}} for n in (1, 2, 4)]
    rmse, r2 = metric_curves(epochs)
    assert rmse.count("RMSE, in standard deviations of the target") >= 2
    assert "standard deviations" not in r2


def test_a_curve_of_scores_has_a_dot_where_they_were_measured_and_the_axis_goes_on() -> None:
    epochs = [{"epoch": n, "scores": {"r2": n / 99} if n in (1, 2, 4) else {}} for n in range(1, 8)]
    (r2,) = metric_curves(epochs)
    tree = ET.fromstring(r2)
    (dots,) = (p for p in tree.iter("path") if "measured" in (p.get("class") or ""))
    places = [float(x) for x in re.findall(r"M([\d.]+)", dots.get("d") or "")]
    left, width = 84, 480 - 84 - 32  # of the axis, from epoch 1 to 7
    expected = [left + width * (number - 1) / 6 for number in (1, 2, 4)]
    assert places == pytest.approx(expected, abs=0.1)
    assert "in epoch 4 of 7" in r2


def test_the_axes_name_what_they_count() -> None:
    labels = {
        text.text
        for chart in step_charts(make_record(MemoryStore()))
        for text in ET.fromstring(chart).iter("text")
        if text.get("class") == "label"
    }
    assert {name.removesuffix(" (logarithmic)") for name in labels} == {
        "step", "loss", "norm of the gradient", "learning rate", "noise scale, in rows",
    }  # fmt: skip


def test_a_chart_that_several_findings_share_is_drawn_once() -> None:
    record = make_record(MemoryStore())
    codes = ("RG201", "RG204", "RG206", "RG207")
    views = finding_views([finding(code, "It is so.") for code in codes], record)
    assert [bool(view.chart) for view in views] == [True, True, False, False]
    assert [view.shown_by for view in views] == ["", "", "RG201", "RG201"]


def test_the_layers_have_their_last_numbers() -> None:
    record = make_record(MemoryStore())
    rows = layer_rows(record)
    assert [row.name for row in rows] == [layer.name for layer in record.layers]
    first = rows[0]
    gradient = np.hypot(*(record.series("gradient_norm", f"0.{n}")[-1] for n in ("weight", "bias")))
    assert first.gradient == pytest.approx(gradient)
    assert first.weights == 16 * 16 + 16
    assert first.cotangent == pytest.approx(record.series("cotangent_norm", "0")[-1])
    assert np.isnan(first.dead)
    assert rows[1].dead == pytest.approx(record.series("dead", "1")[-1])


def test_histograms_are_drawn_for_weights_and_layers() -> None:
    record = make_record(MemoryStore())
    weights, outputs = (histogram_pictures(record, kind) for kind in ("weight", "activation"))
    assert len(weights) == 4
    assert len(outputs) == 8
    for picture in weights:
        tree = ET.fromstring(picture)
        assert sum((p.get("class") or "").startswith("ridge") for p in tree.iter("path")) == 4
    assert histogram_pictures(make_record(MemoryStore(), steps=0), "weight")


def test_a_constant_is_a_line_and_a_few_values_have_no_shape() -> None:
    store = MemoryStore()
    record = make_record(store)
    of_first = [each for each in store.lines("histograms") if each["subject"] == "0.weight"]
    # As NumPy counts 64 values of 1: from 0.5 to 1.5, all in one bin.
    counts, edges = np.histogram(np.ones(64), 40, (0.5, 1.5))
    of_first[0] |= {"low": edges[0], "high": edges[-1], "counts": counts.tolist()}
    for each in store.lines("histograms"):
        if each["subject"] == "2.weight":
            each["counts"] = [1, 0, 2, 1]
    pictures = histogram_pictures(record, "weight")
    assert len(pictures) == 3
    ridges = [
        path.get("d") or ""
        for path in ET.fromstring(pictures[0]).iter("path")
        if (path.get("class") or "").startswith("ridge")
    ]
    assert [ridge.count("V") for ridge in ridges] == [1, 0, 0, 0]
    assert "L" not in ridges[0]
    assert "all about 1;" in pictures[0]


@pytest.mark.parametrize("high", [0.25, 3.0, 700.0, 2e4, 6e6, 3e8, 4e14, 1e-7])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_labels_below_a_histogram_are_whole_and_apart(high: float, sign: int) -> None:
    store = MemoryStore()
    record = make_record(store)
    low = -high if sign < 0 else 0.0
    line = {"step": 300, "kind": "weight", "subject": "0.weight", "counts": [9] * 8}
    store.add_line("histograms", {**line, "low": low, "high": high})
    for each in store.lines("histograms"):
        each |= {"low": low, "high": high}
    tree = ET.fromstring(histogram_pictures(record, "weight")[0])
    labels = [e for e in tree.iter("text") if e.get("text-anchor") == "middle"]
    assert len(labels) >= 2
    width = 6.6  # of a digit of 12 px
    ends = [
        (float(e.get("x") or 0) + side * len(e.text or "") * width / 2)
        for e in labels
        for side in (-1, 1)
    ]
    assert ends[0] >= 0
    assert ends == sorted(ends)
    assert ends[-1] <= float(tree.get("width") or 0)


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_finding_can_be_shown(code: str, synthetic: Any) -> None:
    found = finding(code, HOSTILE, layers=["0.weight", "1"], steps=(1, 50))
    (view,) = finding_views([found], synthetic)
    if view.chart:
        tree = ET.fromstring(view.chart)
        assert any("line" in (path.get("class") or "") for path in tree.iter("path"))
    (alone,) = finding_views([found], None)
    assert alone.chart == ""


def test_vanishing_is_drawn_across_the_layers(synthetic: Any) -> None:
    (view,) = finding_views([finding("RG101", "x", layers=["0.weight"])], synthetic)
    tree = ET.fromstring(view.chart)
    (line,) = (p for p in tree.iter("path") if "line" in (p.get("class") or ""))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line.get("d") or "")]
    assert heights == sorted(heights, reverse=True)  # up is less in SVG: the last layer is highest


@pytest.fixture(scope="module")
def synthetic() -> Any:
    return make_record(MemoryStore())
