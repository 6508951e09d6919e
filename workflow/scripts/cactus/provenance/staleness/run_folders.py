"""The folders of runs: which there are, and which one is meant."""

from pathlib import Path
from typing import Final

from cactus.errors import RecordError, did_you_mean_or_known

PLANNED_CONFIG_FILE: Final = "plans/config.json"


def run_names(results: Path = Path("results")) -> list[str]:
    """Return the names of all runs that were planned."""
    return sorted(path.parents[1].name for path in results.glob(f"*/{PLANNED_CONFIG_FILE}"))


def runs_by_time(results: Path = Path("results")) -> list[str]:
    """Return the names of all runs, the one that was planned last first."""

    def planned(name: str) -> int:
        return (results / name / PLANNED_CONFIG_FILE).stat().st_mtime_ns

    return sorted(run_names(results), key=planned, reverse=True)


def planned_folder(run: str, results: Path = Path("results")) -> Path | None:
    """Return the folder of a run, given its name or path; None if there is no such run."""
    places = (Path(run), results / run) if run else ()
    return next((one for one in places if (one / PLANNED_CONFIG_FILE).is_file()), None)


def is_same_run(one: str, other: str, results: Path = Path("results")) -> bool:
    """Return whether two names or paths stand for one run."""
    first, second = planned_folder(one, results), planned_folder(other, results)
    return one == other or bool(first and second and first.samefile(second))


def find_run_folder(run: str | None, results: Path = Path("results")) -> Path:
    """Return the folder of a run, given its name or path; None stands for the newest.

    Raises
    ------
    RecordError
        There is no such run, or none at all.
    """
    known = runs_by_time(results)
    if run is None and known:
        return results / known[0]
    if run is not None and (folder := planned_folder(run, results)):
        return folder
    raise RecordError(
        "There is no run yet." if run is None else "There is no such run.",
        where=str(results.absolute()),
        got=f"no folder with {PLANNED_CONFIG_FILE}" if run is None else _found(run, results),
        fix=did_you_mean_or_known(
            Path(run or "").name, known, "run the workflow first: `snakemake --cores 2`"
        ),
    )


def _found(run: str, results: Path) -> str:
    """Return a name, with what there is instead of a run."""
    places = (Path(run), results / run) if run else ()
    there = next((one for one in places if one.is_dir()), None)
    return f"{run}; the folder {there} has no {PLANNED_CONFIG_FILE}" if there else run
