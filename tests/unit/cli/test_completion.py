"""A shell completes commands, options, choices and runs."""

import shutil
import subprocess

import pytest


def complete(script: str, folder, *words: str) -> list[str]:
    """Return what bash proposes for the last of some words."""
    listed = " ".join(f"'{word}'" for word in words)
    more = f"\nCOMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _cactus\n"
    done = subprocess.run(
        ["bash", "-u"],
        input=f'{script}{more}printf "%s\\n" "${{COMPREPLY[@]}}"',
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_what_the_parsers_know(cactus, tmp_path):
    script = cactus("completion", "bash").stdout
    (tmp_path / "results/demo/plans").mkdir(parents=True)
    assert complete(script, tmp_path, "cactus", "st") == ["status"]
    assert complete(script, tmp_path, "cactus", "status", "--j") == ["--json", "--jobs"][::-1]
    assert complete(script, tmp_path, "cactus", "status", "d") == ["demo"]
    assert complete(script, tmp_path, "cactus", "why", "--run", "") == ["demo"]
    assert complete(script, tmp_path, "cactus", "profile", "--gpu-request", "gr") == ["gres"]
    assert complete(script, tmp_path, "cactus", "completion", "f") == ["fish"]


@pytest.mark.parametrize(("shell", "check"), [("zsh", "-n"), ("fish", "--no-execute")])
def test_other_shells_read_their_script(cactus, tmp_path, shell, check):
    script = cactus("completion", shell).stdout
    assert "status" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script)
    subprocess.run([shell, check, str(tmp_path / "script")], check=True)
