"""Write the results as a table into docs/performance.md, and as a plot of cost against work."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("agg")
from matplotlib import pyplot as plt

from bench.harness import RESULTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.png"
PLOT = "![Time against work, with fitted exponents](images/performance.png)"
GPU_BEGIN, GPU_END = "<!-- gpu: begin -->", "<!-- gpu: end -->"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
# The work of a size where it is not the size itself. A MAML step of second order costs 9 products a
# support image and inner step and 3 a query image, of which a class has 5; docs/performance.md.
WORK: dict[tuple[str, str], Callable[[float], float]] = {
    ("maml_step", "shot"): lambda shot: 9 * 5 * shot + 3 * 5,
    ("maml_step", "inner_steps"): lambda steps: 9 * steps + 3 * 5,
    ("protonets_step", "shot"): lambda shot: shot + 15,
}
# A Newton step factors matrices of the support's size; a dry run starts Snakemake first,
# and an audit reads the code.
IN_WORDS = {
    ("logistic_regression", "shot"): "1 to 3",
    ("dry_run", "seeds"): "below 1",
    ("audit", "jobs"): "at most 1",
}
# What a cell may say of its results beside its time.
QUALITIES = {
    "inertia": "inertia, by the rival's",
    "agreement": "adjusted Rand index of successive partitions",
    "rivals_agreement": "that of the rival's",
    "largest_difference": "largest difference of a logit",
    "predictions_that_agree": "share of equal predictions",
    "accuracy_difference": "accuracy minus the rival's",
}


def exponent(cost: dict[str, float]) -> float:
    """Return the slope of log time against log work, by least squares."""
    sizes = [float(size) for size in cost]
    return float(np.polyfit(np.log(sizes), np.log(list(cost.values())), 1)[0])


def table(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of ratios."""
    yield "| kernel | times as fast (quartiles) | at least | time / floor | MiB, rival and ours |"
    yield "|---|---|---|---|---|"
    for name, result in results.items():
        title = name.replace("_", " ")
        for cell, values in result.get("cells", {}).items():
            low, middle, high = values["ratio"]
            aim = "" if values["target"] is None else f"{values['target']:g}"
            gap = f"{values['floor_gap']:.1f}" if "floor_gap" in values else ""
            peaks = values["peak_memory_bytes"].values()
            memory = " and ".join(f"{peak / 2**20:.0f}" for peak in peaks)
            ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
            yield f"| {title}, {cell} | {ratio} | {aim} | {gap} | {memory} |"
        for what, timed in {title: result, **result.get("times", {})}.items():
            if "target_seconds" in timed:
                aim = f"at most {timed['target_seconds']:g} s"
                yield f"| {what} | {timed['seconds']:.1f} s | {aim} | | |"


def qualities(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of how good the results are."""
    yield "| kernel | what | value |"
    yield "|---|---|---|"
    for name, result in results.items():
        for cell, values in result.get("cells", {}).items():
            for key in (key for key in QUALITIES if key in values):
                title = name.replace("_", " ")
                yield f"| {title}, {cell} | {QUALITIES[key]} | {values[key]:.4g} |"


def machines(results: dict[str, dict[str, Any]]) -> str:
    """Return a sentence on what the results were measured on."""
    found = [result["machine"] for result in results.values()]
    of = {key: sorted({str(machine[key]) for machine in found}) for key in found[0]}
    kind = ", ".join(of["machine"] + of["cpu"])
    return (
        f"Measured on {' or '.join(of['cores'])} cores ({kind}) with {' or '.join(of['threads'])} "
        f"threads and PyTorch {' or '.join(of['torch'])}; load average at the end of a script "
        f"{of['load'][0]} to {of['load'][-1]}."
    )


def shares(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of what takes the time of a step."""
    yield "| kernel, on one thread | operators and their shares of the time |"
    yield "|---|---|"
    for name, result in results.items():
        for case, operators in result.get("shares", {}).items():
            words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in operators.items())
            yield f"| {name}, {case} | {words} |".replace("_", " ")


def growth(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of fitted exponents."""
    yield "| kernel | work | exponent | expected |"
    yield "|---|---|---|---|"
    for name, result in results.items():
        for work, cost in result.get("cost", {}).items():
            title = f"{name} | {work}".replace("_", " ")
            yield f"| {title} | {exponent(cost):.2f} | {expected(name, work, cost)} |"


def expected(name: str, work: str, cost: dict[str, float]) -> str:
    """Return the exponent that counted work has over the sizes."""
    function = WORK.get((name, work), float)
    counted = {size: float(function(float(size))) for size in cost}
    return IN_WORDS.get((name, work), f"{exponent(counted):.2f}")


def paper(result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of work per step, and the sums over the grids."""
    yield (
        "| training | steps | GFLOP a step | MB a step | launches | H100 floor | GPU-hours of one "
        "| in the paper's grid | in the full grid |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for part in result["parts"]:
        hours, steps = part["hours"], part["steps"]
        floor = 1000 * 3600 * hours["flops"] / steps
        most = max(hours, key=lambda limit: float(hours[limit]))
        limit, cells = f"{hours[most]:.2f} ({most})", part["cells"]
        yield (
            f"| {part['name']} | {steps:,} | {part['flops'] / 1e9:.2f} | {part['bytes'] / 1e6:.0f} "
            f"| {part['launches']:,} | {floor:.3f} ms | {limit} "
            f"| {cells['paper']} | {cells['full']} |"
        )
    yield ""
    total = result["gpu_hours"]
    yield (
        f"Together {total['paper']:.1f} GPU-hours for one seed of the paper's grid "
        f"(`config/config.yaml`), and {total['full']:.1f} for one of `config/full.yaml`."
    )


def of_gpu(folder: Path) -> list[str]:
    """Return the lines of the table of what was measured on a GPU; nothing, if nothing was."""
    results = read(folder)
    table_lines = list(table(results))
    if not results:
        return [*table_lines, "", "No time has been measured on a GPU."]
    facts = ("gpu", "driver", "torch", "cuda", "clock_mhz")
    found = {", ".join(f"{key} {one['machine'].get(key)}" for key in facts)
             for one in results.values()}  # fmt: skip
    return [f"Measured with {'; '.join(sorted(found))}.", "", *table_lines]


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the results in a folder by their names."""
    files = sorted(folder.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def put(page: str, begin: str, end: str, lines: list[str]) -> str:
    """Return a page with lines between two marks."""
    before, _, rest = page.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end]) + rest.partition(end)[2]


def draw(results: dict[str, dict[str, Any]]) -> None:
    """Draw every measured cost against its work, with the fitted exponent."""
    panels = [
        (name, work, cost)
        for name, result in results.items()
        for work, cost in result.get("cost", {}).items()
    ]
    rows = math.ceil(len(panels) / 3)
    figure, axes = plt.subplots(
        rows, 3, figsize=(9, 2.6 * rows), layout="constrained", squeeze=False
    )
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, (name, work, cost) in zip(axes.flat, panels, strict=False):
        sizes = [float(size) for size in cost]
        times = np.array(list(cost.values())) / next(iter(cost.values()))
        slope = exponent(cost)
        middle = math.exp(float(np.mean(np.log(times)) - slope * np.mean(np.log(sizes))))
        axis.loglog(sizes, times, "o", color="#0173b2")
        fitted = [middle * size**slope for size in sizes]
        axis.loglog(sizes, fitted, "--", color="#d55e00")
        axis.minorticks_off()
        axis.set_xticks(sizes, [f"{size:,.0f}" for size in sizes], rotation=25)
        axis.set_yticks(times, [f"{time:.2f}" for time in times])
        title = f"{name}\nexponent {slope:.2f}, expected {expected(name, work, cost)}"
        axis.set_title(title.replace("_", " "), fontsize=10)
        axis.set(xlabel=work.replace("_", " "), ylabel="time / first time")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120, metadata={"Software": None})


def main() -> None:
    """Write the tables between the marks of the page, and the plot."""
    results = read(RESULTS)
    grid = results.pop("grid_cost", None)
    lines = [machines(results), "", *table(results), "", *qualities(results), ""]
    lines += [*shares(results), "", PLOT, "", *growth(results)]
    if grid is not None:
        lines += ["", *paper(grid)]
    page = put(PAGE.read_text(encoding="utf-8"), BEGIN, END, lines)
    page = put(page, GPU_BEGIN, GPU_END, of_gpu(RESULTS / "gpu"))
    PAGE.write_text(page, encoding="utf-8")
    draw(results)


if __name__ == "__main__":
    main()
