"""One picture, as SVG: curves over two logarithmic axes. It stands on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 400
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 40, 50
COLOURS: Final = ("#2f81f7", "#3fb950", "#d29922", "#a371f7")
INK: Final = "#808080"


def plot(title: str, across: str, up: str, curves: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """`curves` have points of the same places, which become the marks of the axis `across`."""
    places = sorted({x for points in curves.values() for x, _ in points})
    values = [y for points in curves.values() for _, y in points]
    decades = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        share_x = math.log(x / places[0]) / math.log(places[-1] / places[0])
        share_y = (math.log10(y) - decades[0]) / (decades[-1] - decades[0])
        return LEFT + share_x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share_y * (HEIGHT - TOP - BOTTOM)

    parts = [_text(LEFT, 22, title, size=15)]
    for place in places:
        x, y = at(place, 10.0 ** decades[0])
        parts += [_line([(x, y), (x, y + 5)], INK, 1), _text(x, y + 20, f"{place:,}", anchor="middle")]
    for decade in decades:
        x, y = at(places[0], 10.0**decade)
        parts += [
            _line([(x, y), (WIDTH - RIGHT, y)], INK, 0.4),
            _text(x - 8, y + 4, f"{10**decade:,}", anchor="end"),
        ]
    parts += [
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, anchor="middle"),
        _text(LEFT - 55, TOP - 18, up),
    ]
    for colour, (name, points) in zip(COLOURS, curves.items(), strict=False):
        drawn = [at(x, y) for x, y in points]
        parts += [_line(drawn, colour, 2.5), _text(drawn[-1][0] + 10, drawn[-1][1] + 4, name, fill=colour)]
    described = "; ".join(
        f"{name}: {points[0][1]:.0f} at {points[0][0]}, {points[-1][1]:.0f} at {points[-1][0]}"
        for name, points in curves.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(f"{title}. {described}")}</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _line(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, fill: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{escape(text)}</text>'
    )
