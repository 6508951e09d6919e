"""Commands, forked from a process that has imported Snakemake: that takes longer than most do."""

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[3]
_WARM: Final = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["tests.workflow.warm.snakemake_imports"])


def call(
    module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Call the `main` of a module in a folder, in a process of its own.

    `PYTHONPATH` of the variables has the package `cactus` that it imports.
    """
    with tempfile.TemporaryDirectory() as place:
        files = Path(place, "stdout"), Path(place, "stderr")
        what = module, tuple(arguments), folder, dict(variables), files
        process = _WARM.Process(target=_call, args=what)
        process.start()
        process.join()
        output, errors = (file.read_text() for file in files)
    assert process.exitcode is not None
    return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


def _call(
    module: str,
    arguments: tuple[str, ...],
    folder: Path,
    variables: dict[str, str],
    files: tuple[Path, Path],
) -> None:
    """Call the `main` of a module as `python -m` would."""
    for number, file in enumerate(files, start=1):
        with file.open("wb") as opened:
            os.dup2(opened.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    here = {str(_ROOT), str(_ROOT / "workflow/scripts")}
    there = ["", *variables["PYTHONPATH"].split(os.pathsep)]
    sys.path[:] = [*there, *(path for path in sys.path if path not in here)]
    assert "cactus" not in sys.modules, "it would be the package of another folder"
    sys.argv = [module, *arguments]
    try:
        importlib.import_module(module).main()
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # a forked process skips these; they save the hashes
