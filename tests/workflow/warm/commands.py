"""Commands, forked from a process that has imported Snakemake: that takes longer than most do."""

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from tests.workflow.warm.package import Packages, Request

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
        request = module, tuple(arguments), folder, dict(variables), files
        code = _PACKAGES.call(request)
        if code is None:
            process = _WARM.Process(target=_call, args=(request,))
            process.start()
            process.join()
            code = process.exitcode
        output, errors = (file.read_text() for file in files)
    assert code is not None
    return subprocess.CompletedProcess(arguments, code, output, errors)


def _call(request: Request) -> None:
    """Call the `main` of a module as `python -m` would, in a process without the package."""
    assert "cactus" not in sys.modules, "it would be the package of another folder"
    _use(request[3])
    _run(request)


def _use(variables: Mapping[str, str]) -> None:
    """Import from where the variables say, and not this package."""
    here = {str(_ROOT), str(_ROOT / "workflow/scripts")}
    there = ["", *variables["PYTHONPATH"].split(os.pathsep)]
    sys.path[:] = [*there, *(path for path in sys.path if path not in here)]


def _run(request: Request) -> NoReturn:
    """Run a request, and end this process as Python would."""
    module, arguments, folder, variables, files = request
    for number, file in enumerate(files, start=1):
        with file.open("wb") as opened:
            os.dup2(opened.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [module, *arguments]
    code: object = 1
    try:
        importlib.import_module(module).main()
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # a forked process skips these; they save the hashes
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


_PACKAGES: Final = Packages(_WARM, _use, _run)
