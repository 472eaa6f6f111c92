"""Charts put things where their values are."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from retrograd.report.charts.axes import Axis, Plot


@pytest.mark.parametrize(
    "values", [(0, 1), (3, 997), (-0.013, 0.0021), (1e-9, 2e-9), (5, 5), (-4e8, 1e9), (0, 0), ()]
)
def test_ticks_are_round_and_enclose_the_values(values: tuple[float, ...]) -> None:
    axis = Axis.of("x", values)
    assert all(axis.low <= value <= axis.high for value in values)
    assert axis.low == axis.ticks[0] < axis.ticks[-1] == axis.high
    assert 3 <= len(axis.ticks) <= 9
    steps = [b - a for a, b in zip(axis.ticks[:-1], axis.ticks[1:], strict=True)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
    assert min(abs(mantissa - round_number) for round_number in (1, 2, 2.5, 5)) < 1e-6
    assert len({axis.text(tick) for tick in axis.ticks}) == len(axis.ticks)


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        (1, 45, (10, 20, 30, 40)),
        (1, 4, (1, 2, 3, 4)),
        (0, 12, (0, 5, 10)),
        (1, 1, (1, 2)),
        (0, 0, (0, 1)),
        (3, 1004, (200, 400, 600, 800, 1000)),
        (0, 250_000, (0, 50_000, 100_000, 150_000, 200_000, 250_000)),
    ],
)
def test_what_is_counted_has_whole_ticks_and_ends_where_it_ends(
    first: int, last: int, ticks: tuple[float, ...]
) -> None:
    axis = Axis.counted("epoch", first, last)
    assert (axis.low, axis.high) == (first, max(last, first + 1))
    assert axis.ticks == ticks
    assert [axis.text(tick) for tick in axis.ticks] == [f"{tick:,}" for tick in ticks]


def test_large_ticks_are_short() -> None:
    axis = Axis.of("RMSE", [0, 5e14])
    assert [axis.text(tick) for tick in axis.ticks][:2] == ["0", "1×10¹⁴"]
    assert [Axis.of("x", [-2.5e8, 0]).text(tick) for tick in (-2.5e8, -1e8)] == [
        "−2.5×10⁸",
        "−1×10⁸",
    ]
    assert Axis.of("price", [0, 5e6]).text(1e6) == "1,000,000"
    assert [Axis.of("x", [1e9, 1e9 + 4]).text(1e9 + each) for each in (0, 1)] == [
        "1×10⁹",
        "1.000000001×10⁹",
    ]


def test_a_logarithmic_axis_has_powers_of_ten() -> None:
    axis = Axis.of("loss", [0.03, 7, 0, math.nan], is_log=True)
    assert axis.ticks == pytest.approx((0.01, 0.1, 1, 10))
    shares = [axis.share(tick) for tick in axis.ticks]
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert len(Axis.of("loss", [1e-30, 1e30], is_log=True).ticks) <= 9


def test_a_line_goes_through_its_points_and_breaks_where_there_is_none() -> None:
    plot = Plot(Axis.of("x", [0, 10]), Axis.of("y", [0, 100]), width=600, height=300)
    plot.line([0, 5, 7, 10], [0, 50, math.nan, 100], "fwd")
    tree = ET.fromstring(plot.svg("title", "description"))
    (path,) = (each for each in tree.iter("path") if each.get("class") == "line fwd")
    (start, middle, end) = re.findall(r"([ML])([\d.]+) ([\d.]+)", path.get("d") or "")
    assert (start[0], middle[0], end[0]) == ("M", "L", "M")
    xs, ys = ([float(point[i]) for point in (start, middle, end)] for i in (1, 2))
    assert xs[1] == pytest.approx((xs[0] + xs[2]) / 2)
    assert ys[1] == pytest.approx((ys[0] + ys[2]) / 2)
    assert ys[0] > ys[2]  # up is less in SVG


def test_bars_are_as_high_as_their_counts() -> None:
    plot = Plot(Axis.of("x", [0, 3]), Axis.of("y", [0, 10]))
    plot.bars([0, 1, 2, 3], [10, 5, 0], "")
    heights = [float(r.get("height") or 0) for r in ET.fromstring(plot.svg("", "")).iter("rect")]
    assert heights == pytest.approx([heights[0], heights[0] / 2, 0], abs=0.11)


def test_texts_are_escaped() -> None:
    name = "<script>alert(1)</script>\"'&"
    plot = Plot(Axis.of(name, [0, 1]), Axis.of(name, [0, 1]))
    plot.rule((0, 0), (1, 1), name)
    plot.mark(1, 1, name, "")
    svg = plot.svg(name, name)
    assert "<script" not in svg
    tree = ET.fromstring(svg)
    assert tree.get("aria-label") == name
    assert [each.text for each in tree.iter("text")].count(name) == 4
