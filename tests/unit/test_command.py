import errno
import subprocess
import sys

import pytest

from cactus.command import run_main
from cactus.errors import EpisodeError


def failing(error):
    def main():
        raise error

    return main


def test_an_error_is_told_without_traceback_and_has_its_exit_code(capsys):
    error = EpisodeError("No.", where="omniglot", got="3 classes", fix="lower the way")
    with pytest.raises(SystemExit) as caught:
        run_main(failing(error))
    assert caught.value.code == EpisodeError.exit_code
    told = capsys.readouterr().err
    assert (
        told == "EpisodeError: No.\n  where: omniglot\n  got:   3 classes\n  fix:   lower the way\n"
    )


def test_a_full_disk_is_told_wherever_it_shows(capsys):
    with pytest.raises(SystemExit):
        run_main(failing(OSError(errno.ENOSPC, "No space left on device")))
    assert "The disk is full" in capsys.readouterr().err


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(failing(ZeroDivisionError()))


def test_a_job_that_is_killed_by_c_code_leaves_the_line_in_its_log():
    code = "import cactus.command, ctypes\nctypes.string_at(0)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode < 0
    assert "Segmentation fault" in done.stderr
    assert 'File "<string>", line 2' in done.stderr
