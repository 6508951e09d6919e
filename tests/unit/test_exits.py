"""Signals, closed pipes, poor terminals and tight limits end a command without a traceback."""

import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cactus.config.models import Config
from cactus.errors import ConfigError, GpuMemoryError, ResourceError, StorageError
from cactus.refusals import explained

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
COMMAND = ("-m", "cactus.cli.main")
STAGE = (str(SCRIPTS / "meta_train.py"), "--plan", "plan.json")


def run(folder: Path, *arguments: str, shell: str = "", **variables: str):
    """Run Python, in a shell that first does what `shell` says; return the finished process."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{SCRIPTS}", **variables}
    line = ["bash", "-c", f'{shell}\nexec "$@"', "bash", sys.executable, *arguments]
    return subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def strike(folder: Path, module: str, number: int) -> None:
    """Let each Python that starts in a folder send itself a signal when it imports a module."""
    (folder / "sitecustomize.py").write_text(
        textwrap.dedent(f"""
        import os, sys

        def strike(event, arguments):
            if event == "import" and arguments[0] == {module!r}:
                os.kill(os.getpid(), {int(number)})

        sys.addaudithook(strike)
        """)
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("command", "module"),
    [
        (COMMAND, "cactus.files"),
        (COMMAND, "yaml.constructor"),
        (COMMAND, "pydantic.types"),
        (COMMAND, "cactus.cli.text"),
        (STAGE, "numpy._core.multiarray"),
        (STAGE, "cactus.train.stop"),
        (STAGE, "cactus.stages.meta_train"),
    ],
)
def test_a_signal_ends_a_command_without_a_traceback(tmp_path, command, module, number):
    strike(tmp_path, module, number)
    arguments = (*command, "status") if command is COMMAND else command
    done = run(tmp_path, *arguments)
    # A process that a signal kills has its number negated; a shell shows both in the same way.
    code = 128 - done.returncode if done.returncode < 0 else done.returncode
    assert code == 128 + number
    assert done.stderr == ""
    if number == signal.SIGINT:
        assert done.returncode == 130


def script(folder: Path, text: str) -> str:
    """Write a script whose `main` has this body; return its path."""
    path = folder / "script.py"
    lines = textwrap.indent(textwrap.dedent(text), "    ")
    path.write_text(
        "import os, signal, sys, time\nfrom pathlib import Path\n"
        "from cactus.command import run_main\nfrom cactus.files import write_json, write_text\n"
        f"def main():\n{lines}\nrun_main(main)\n"
    )
    return str(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_half_written_file(tmp_path, number):
    path = script(
        tmp_path,
        f"""
        from cactus.files import atomic_path
        with atomic_path(Path("results/a.json")) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), {int(number)})
            time.sleep(60)
        """,
    )
    done = run(tmp_path, path)
    assert (done.returncode, done.stderr) == (128 + number, "")
    assert list((tmp_path / "results").iterdir()) == []


def test_an_ignored_signal_stays_ignored(tmp_path):
    path = script(tmp_path, "os.kill(os.getpid(), signal.SIGHUP)\nprint('done')")
    done = run(tmp_path, path, shell="trap '' HUP")
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.parametrize(
    ("shell", "code", "told"),
    [
        ("exec > >(exec head -c 1 > /dev/null)", 128 + signal.SIGPIPE, ""),
        ("exec >&-", 0, ""),
        ("exec > /dev/full", StorageError.exit_code, "The disk is full."),
    ],
)
def test_an_output_that_cannot_be_written_is_no_traceback(tmp_path, shell, code, told):
    path = script(tmp_path, "for _ in range(20000): print('x' * 80)")
    done = run(tmp_path, path, shell=shell)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert told in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "COLUMNS": "1"},
    ],
)
def test_characters_that_a_terminal_lacks_are_escaped(tmp_path, variables):
    path = script(tmp_path, "print('5 ± 1 \\u00b7 \\udcff')\nprint('é', file=sys.stderr)")
    done = run(tmp_path, path, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 ")


LARGE = "write_text(Path('results/a.txt'), 'x' * 4_000_000)"


@pytest.mark.parametrize(
    ("body", "shell", "error", "told"),
    [
        (LARGE, "ulimit -f 1000", StorageError, "larger than allowed"),
        ("Path('a').write_bytes(b'x' * 4_000_000)", "ulimit -f 1000", StorageError, "ulimit -f"),
        ("bytearray(1 << 40)", "ulimit -v 4000000", ResourceError, "ulimit -v"),
        ("import numpy; numpy.ones(1 << 40)", "ulimit -v 4000000", ResourceError, "allocate"),
        ("import torch; torch.ones(1 << 40)", "", ResourceError, "allocate"),
        (
            "import torch; raise torch.OutOfMemoryError('CUDA out of memory. Tried 2.00 GiB.')",
            "",
            GpuMemoryError,
            "CUDA out of memory. Tried 2.00 GiB.",
        ),
        ("files = [open('/dev/null') for _ in range(99)]", "ulimit -n 50", ResourceError, "open"),
        ("Path('nosuch/file').read_text()", "", StorageError, "nosuch/file"),
        ("Path('/proc/nosuch').mkdir()", "", StorageError, "/proc/nosuch"),
    ],
)
def test_what_the_system_refuses_is_one_error(tmp_path, body, shell, error, told):
    done = run(tmp_path, script(tmp_path, body), shell=shell)
    assert done.returncode == error.exit_code, done.stderr
    lines = done.stderr.splitlines()
    assert [line[:9] for line in lines[-3:]] == ["  where: ", "  got:   ", "  fix:   "]
    assert len(lines) == 4
    assert told in done.stderr
    assert all(len(line) > 9 for line in lines)
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize(
    "text",
    [
        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79 GiB",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    ],
)
def test_memory_of_a_gpu_is_told_with_the_keys_that_need_less(text):
    told = explained(RuntimeError(text))
    assert isinstance(told, GpuMemoryError)
    for key in ("tasks_at_once", "encode_batch_size", "jobs_per_gpu"):
        assert key in told.fix
    assert "ulimit" not in told.fix
    assert "\n" not in told.got


def test_the_keys_that_need_less_memory_of_a_gpu_exist():
    fix = explained(RuntimeError("CUDA out of memory")).fix
    config = Config().model_dump()
    for key in re.findall(r"(?:speed|gpus)\.[a-z_.]+[a-z]", fix):
        value = config
        for part in key.split("."):
            value = value[part]
    assert "evaluation_tasks_at_once" in config["speed"]["maml"]
    assert "encode_batch_size" in config["embeddings"]["acai"]


def test_a_gpu_without_code_is_told_without_a_traceback():
    text = "CUDA error: no kernel image is available for execution on the device\nCUDA kernel ..."
    told = explained(RuntimeError(text))
    assert isinstance(told, ConfigError)
    assert "architecture" in told.what
    assert "another GPU" in told.fix


@pytest.mark.parametrize("text", ["CUDA error: device-side assert triggered", "shape mismatch"])
def test_a_mistake_on_a_gpu_stays_a_mistake(text):
    assert explained(RuntimeError(text)) is None


def test_memory_that_runs_out_while_a_script_is_imported_is_one_error(tmp_path):
    (tmp_path / "numpy.py").write_text("raise MemoryError")
    done = run(tmp_path, *STAGE)
    assert done.returncode == 1
    assert done.stderr.startswith("ResourceError: ")
    assert "Traceback" not in done.stderr


def test_a_mistake_in_the_code_keeps_its_traceback(tmp_path):
    done = run(tmp_path, script(tmp_path, "1 / 0"))
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    small = tmp_path / "results"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        done = run(tmp_path, script(tmp_path, LARGE))
        assert (done.returncode, list(small.iterdir())) == (StorageError.exit_code, [])
        assert "The disk is full." in done.stderr
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_limits_of_these_tests_do_not_reach_this_process():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "TkAgg", "nosuch", ""]
)
def test_figures_are_drawn_without_a_display_whatever_the_backend(tmp_path, backend):
    body = "import cactus.paper.draw.registry, matplotlib\nprint(matplotlib.get_backend())"
    done = run(tmp_path, script(tmp_path, body), MPLBACKEND=backend)
    assert done.stdout.lower() == "agg\n", done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_waits_for_snakemake_passes_signals_on_and_waits(tmp_path, number):
    body = f"""
        import subprocess
        from cactus.exits import signals_forwarded
        child = "import signal, time\\ngot = []\\n" \\
            "for one in (2, 15): signal.signal(one, lambda n, _: got.append(n))\\n" \\
            "print('ready', flush=True)\\n" \\
            "while not got: time.sleep(0.05)\\n" \\
            "time.sleep(0.3)\\nprint('stopped', got[0])"
        process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True)
        with signals_forwarded(process.send_signal):
            process.stdout.readline()
            os.kill(os.getpid(), {int(number)})
            print(process.stdout.read(), end="")
            process.wait()
        """
    done = run(tmp_path, script(tmp_path, body))
    assert (done.returncode, done.stdout) == (128 + number, f"stopped {int(number)}\n")


def test_a_link_to_a_folder_that_is_gone_is_named(tmp_path):
    (tmp_path / "results").symlink_to(tmp_path / "scratch")
    with pytest.raises(FileExistsError) as caught:
        (tmp_path / "results").mkdir(exist_ok=True)
    told = explained(caught.value)
    assert isinstance(told, StorageError)
    assert told.where == str(tmp_path / "results")
    assert "File exists" in told.got
