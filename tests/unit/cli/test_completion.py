"""A shell completes commands, options, choices and runs."""

import os
import pty
import select
import shutil
import subprocess
import time

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


def shell_or_skip(name: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def test_fish_completes_what_the_parsers_know(cactus, tmp_path):
    shell = shell_or_skip("fish")
    (tmp_path / "script").write_text(cactus("completion", "fish").stdout)
    (tmp_path / "results/demo/plans").mkdir(parents=True)

    def proposed(line: str) -> list[str]:
        command = [shell, "--no-config", "-c", f"source script; complete -C '{line}'"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return [one.partition("\t")[0] for one in done.stdout.splitlines()]

    assert proposed("cactus sta") == ["status"]
    assert proposed("cactus status --j") == ["--jobs", "--json"]
    assert "demo" in proposed("cactus status ")
    assert proposed("cactus why --run ") == ["demo"]
    assert proposed("cactus profile --gpu-request gr") == ["gres"]


def test_zsh_completes_what_the_parsers_know(cactus, tmp_path):
    shell = shell_or_skip("zsh")
    (tmp_path / "script").write_text(cactus("completion", "zsh").stdout)
    (tmp_path / "results/demo/plans").mkdir(parents=True)
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "HOME": str(tmp_path), "PS1": "> "}
    with subprocess.Popen(
        [shell, "-f", "-i"], cwd=tmp_path, env=environment, stdin=end, stdout=end, stderr=end
    ) as process:
        os.close(end)
        os.write(
            terminal, b"autoload -U compinit; compinit -u; source script; print -r ready''now\n"
        )
        seen = read_until(terminal, b"readynow")
        for typed, completed in (
            (b"cactus stat\t", b"cactus status "),
            (b"cactus why --run d\t", b"cactus why --run demo "),
            (b"cactus profile --gpu-request gr\t", b"--gpu-request gres "),
        ):
            os.write(terminal, typed)
            seen = read_until(terminal, completed)
            assert completed in seen
            os.write(terminal, b"\x15")  # clear the line
        os.write(terminal, b"exit\n")
        process.wait(timeout=30)
    os.close(terminal)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """Return what a terminal shows, up to some bytes or for 30 s."""
    seen, end = b"", time.monotonic() + 30
    while wanted not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 1 << 16)
    return seen
