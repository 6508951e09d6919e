"""How Snakemake is called for a run."""

import sys
from pathlib import Path

from cactus.cli.snakemake_call import SnakemakeCall


def test_jobs_find_the_python_of_this_process_without_an_activated_environment(
    monkeypatch, tmp_path: Path, capfd
):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    show = "import os, sys; print(os.environ['PATH'], sys.argv[1:], os.getcwd()); sys.exit(3)"
    call = SnakemakeCall(tmp_path, "results/x", [sys.executable, "-c", show], ["--study"])
    assert call.run("paper", "-n") == 3
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    assert capfd.readouterr().out == f"{path} ['paper', '-n', '--study'] {tmp_path}\n"
