"""Draw docs/images/architecture.svg: the packages, and who imports whom, read from the sources.

Run it by `python docs/draw_architecture.py` after a change of the packages.
"""

import sys
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow/scripts"
PICTURE = ROOT / "docs/images/architecture.svg"
sys.path.insert(0, str(SCRIPTS))

from cactus.provenance.fingerprint.source_hash import read_source  # noqa: E402

# Used nearly everywhere: drawn, their arrows would hide the others.
EVERYWHERE = {
    "errors", "files", "seeding", "command", "splits", "cores", "exits", "refusals", "custom_code",
    "source_loader",
    "pythons",
}  # fmt: skip
WIDTH, HEIGHT, BOX_HEIGHT, MARGIN, GAP = 1000, 84, 34, 20, 16
BOOKKEEPING = ("provenance", "stages", "graph", "cluster", "cli")

Point = tuple[float, float]


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


def levels(imports: dict[str, set[str]]) -> dict[str, int]:
    """Return the row of each package, counted from the bottom: above all that it imports."""
    row: dict[str, int] = {}
    for room in TopologicalSorter(imports).static_order():
        row[room] = 1 + max((row[one] for one in imports[room]), default=-1)
    return row


def chains(imports: dict[str, set[str]], row: dict[str, int]) -> list[list[str]]:
    """Return each arrow as the packages at its ends and a free place in each row between."""
    found = []
    for room, others in sorted(direct(imports).items()):
        for other in sorted(others):
            between = [f"{room} {other} {level}" for level in range(row[room] - 1, row[other], -1)]
            row.update({one: int(one.split()[2]) for one in between})
            found.append([room, *between, other])
    return found


def places(arrows: list[list[str]], row: dict[str, int]) -> dict[str, Point]:
    """Place packages and free places, each near those below it that it leads to."""
    below: dict[str, list[str]] = {one: [] for one in row}
    for chain in arrows:
        for start, end in pairwise(chain):
            below[start].append(end)
    place: dict[str, Point] = {}
    for level in range(max(row.values()) + 1):
        members = sorted(one for one in row if row[one] == level)
        members.sort(key=lambda one: fmean([place[two][0] for two in below[one]] or [WIDTH / 2]))
        sizes = [_width(one) + GAP for one in members]
        left = (WIDTH - sum(sizes)) / (len(members) + 1)
        x = left
        for one, size in zip(members, sizes, strict=True):
            place[one] = x + size / 2, MARGIN + HEIGHT * (max(row.values()) - level + 0.5)
            x += size + left
    return place


def draw(imports: dict[str, set[str]]) -> str:
    """Return the picture as SVG, with the packages that import most at the top."""
    row = levels(imports)
    arrows = chains(imports, row)
    place = places(arrows, row)
    height = MARGIN * 2 + HEIGHT * (max(row.values()) + 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="15">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    lines += [_arrow([place[one] for one in chain]) for chain in arrows]
    lines += [_box(room, *place[room]) for room in sorted(imports)]
    return "\n".join([*lines, "</svg>", ""])


def _width(room: str) -> int:
    return 9 * len(room) + 22 if " " not in room else 0


def _arrow(points: list[Point]) -> str:
    """Return a curve that is vertical at each point, with a head at the last."""
    (x, y), (u, v) = points[0], points[-1]
    points = [(x, y + BOX_HEIGHT / 2), *points[1:-1], (u, v - BOX_HEIGHT / 2)]
    path = f"M{x:.0f} {points[0][1]:.0f}"
    for (x, y), (u, v) in pairwise(points):
        half = (v - y) / 2
        path += f" C{x:.0f} {y + half:.0f} {u:.0f} {v - half:.0f} {u:.0f} {v:.0f}"
    return (
        f'<path d="{path}" fill="none" stroke="#777" stroke-width="1.2"/>'
        f'<path d="M{u:.0f} {v:.0f} l-4 -8 h8 z" fill="#777"/>'
    )


def _box(room: str, x: float, y: float) -> str:
    color = "#dbe9f6" if room.startswith(BOOKKEEPING) else "#fdebc8"
    width = _width(room)
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{width}" '
        f'height="{BOX_HEIGHT}" rx="6" fill="{color}" stroke="#555"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{room}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(read_imports()), encoding="utf-8")
