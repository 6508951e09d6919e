"""Draw docs/images/architecture.svg: the packages, and who imports whom, read from the sources.

Run it by `python docs/draw_architecture.py` after a change of the packages.
"""

import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow/scripts"
PICTURE = ROOT / "docs/images/architecture.svg"
sys.path.insert(0, str(SCRIPTS))

from cactus.provenance.fingerprint.source_hash import read_source  # noqa: E402

# Used nearly everywhere: drawn, their arrows would hide the others.
EVERYWHERE = {"errors", "files", "seeding", "command", "splits"}
WIDTH, HEIGHT, BOX_HEIGHT, MARGIN = 1000, 84, 34, 20
BOOKKEEPING = ("provenance", "stages", "graph", "cluster", "cli")


def package(module: str) -> str:
    """Return the room of a module: its package, without the leading ``cactus``."""
    parts = module.split(".")[1:]
    depth = 2 if parts[:1] == ["provenance"] else 1
    return ".".join(parts[:depth])


def read_imports() -> dict[str, set[str]]:
    """Return which packages each package imports when it runs."""
    found: dict[str, set[str]] = {}
    modules = {}
    for path in sorted((SCRIPTS / "cactus").rglob("*.py")):
        name = ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
        modules[name.removesuffix(".__init__")] = (name, path)
    for module, (name, path) in modules.items():
        room = package(module)
        if not room or room in EVERYWHERE or room == "provenance":
            continue
        imported = read_source(path.read_text(encoding="utf-8"), name).imports
        others = {package(one) for one in imported if one in modules}
        found.setdefault(room, set()).update(others - {room, "", "provenance", *EVERYWHERE})
    return found


def direct(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out an arrow where a longer way leads to the same package."""

    def reach(room: str) -> set[str]:
        return imports[room].union(*(reach(one) for one in imports[room]))

    return {
        room: {one for one in below if not any(one in reach(two) for two in below - {one})}
        for room, below in imports.items()
    }


def levels(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the packages in rows: each above all that it imports."""
    row: dict[str, int] = {}
    for room in TopologicalSorter(imports).static_order():
        row[room] = 1 + max((row[one] for one in imports[room]), default=-1)
    return [
        sorted(one for one in row if row[one] == level) for level in range(max(row.values()) + 1)
    ]


def draw(imports: dict[str, set[str]]) -> str:
    """Return the picture as SVG, with the packages that import most at the top."""
    rows, arrows = levels(imports), direct(imports)
    height = MARGIN * 2 + HEIGHT * len(rows)
    place: dict[str, tuple[float, float]] = {}
    for level, rooms in enumerate(rows):
        rooms.sort(key=lambda room: _mean(place[one][0] for one in arrows[room]))
        for index, room in enumerate(rooms):
            place[room] = (
                WIDTH * (index + 0.5) / len(rooms),
                height - MARGIN - HEIGHT * (level + 0.5),
            )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="15">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    lines += [
        _arrow(place[room], place[one]) for room in sorted(arrows) for one in sorted(arrows[room])
    ]
    lines += [_box(room, *place[room]) for room in sorted(place)]
    return "\n".join([*lines, "</svg>", ""])


def _mean(values: object) -> float:
    numbers = list(values)  # type: ignore[call-overload]
    return sum(numbers) / len(numbers) if numbers else WIDTH / 2


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (u, v) = start, end
    y, v = y + BOX_HEIGHT / 2, v - BOX_HEIGHT / 2
    bend = max(30.0, (v - y) / 2)
    curve = f"C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}"
    return (
        f'<path d="M{x:.0f} {y:.0f} {curve}" fill="none" stroke="#777" stroke-width="1.2"/>'
        f'<path d="M{u:.0f} {v:.0f} l-4 -8 h8 z" fill="#777"/>'
    )


def _box(room: str, x: float, y: float) -> str:
    color = "#dbe9f6" if room.startswith(BOOKKEEPING) else "#fdebc8"
    width = 9 * len(room) + 22
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{width}" '
        f'height="{BOX_HEIGHT}" rx="6" fill="{color}" stroke="#555"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{room}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(read_imports()), encoding="utf-8")
