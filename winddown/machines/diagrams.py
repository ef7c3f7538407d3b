"""A declared state machine drawn as SVG: layers by distance from the first states, one arrow per
edge.
"""

from __future__ import annotations

from html import escape

from winddown.machines.declare import Edge, Stateful

BOX_W, BOX_H, GAP_X, GAP_Y, MARGIN = 150, 34, 130, 26, 24


def svg(model: type[Stateful]) -> str:
    """Returns the machine of `model` as an SVG document, the same text for the same declaration."""
    layers = _layers(model)
    place = {
        state: (column, row)
        for column, states in enumerate(layers)
        for row, state in enumerate(states)
    }
    tall = max(len(states) for states in layers)
    width = 2 * MARGIN + len(layers) * BOX_W + (len(layers) - 1) * GAP_X
    height = 2 * MARGIN + tall * (BOX_H + GAP_Y) + 80
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="sans-serif" font-size="12" role="img" aria-label="State machine of {escape(model.__name__)}">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += [_arrow(edge, place) for edge in model.edges()]
    parts += [_box(state, place[state], first=state in model.first_states()) for state in place]
    return "\n".join([*parts, "</svg>", ""])


def _layers(model: type[Stateful]) -> list[list[str]]:
    """Returns the states by shortest distance from a first state; unreachable ones come last."""
    edges = model.edges()
    reached = list(model.first_states())
    layers = [reached[:]]
    while True:
        beyond: list[str] = []
        for edge in edges:
            if edge.source in layers[-1] and edge.target not in reached:
                reached.append(edge.target)
                beyond.append(edge.target)
        if not beyond:
            break
        layers.append(beyond)
    named = sorted({state for edge in edges for state in (edge.source, edge.target)} - set(reached))
    return [*layers, named] if named else layers


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    column, row = place
    return MARGIN + column * (BOX_W + GAP_X), MARGIN + row * (BOX_H + GAP_Y)


def _box(state: str, place: tuple[int, int], *, first: bool) -> str:
    x, y = _corner(place)
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="6" fill="{"#e8f1ff" if first else "#f6f6f6"}"'
        f' stroke="#333"/><text x="{x + BOX_W / 2:g}" y="{y + BOX_H / 2 + 4:g}"'
        f' text-anchor="middle">{escape(state)}</text>'
    )


def _arrow(edge: Edge, place: dict[str, tuple[int, int]]) -> str:
    x1, y1 = _corner(place[edge.source])
    x2, y2 = _corner(place[edge.target])
    forward = place[edge.target][0] > place[edge.source][0]
    start = (x1 + BOX_W, y1 + BOX_H / 2) if forward else (x1 + BOX_W / 2, y1 + BOX_H)
    end = (x2, y2 + BOX_H / 2) if forward else (x2 + BOX_W / 2, y2 + BOX_H)
    bend = (start[1] + end[1]) / 2 if forward else max(start[1], end[1]) + 40
    middle = ((start[0] + end[0]) / 2, bend if forward else bend - 10)
    return (
        f'<path d="M{start[0]:g} {start[1]:g} Q{middle[0]:g} {bend + (0 if forward else 20):g}'
        f' {end[0]:g} {end[1]:g}" fill="none"'
        f' stroke="#555" marker-end="url(#tip)"/><text x="{middle[0]:g}" y="{middle[1] - 4:g}" text-anchor="middle"'
        f' fill="#333" font-size="10">{escape(edge.name)}</text>'
    )
