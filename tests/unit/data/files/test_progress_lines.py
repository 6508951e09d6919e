import re

from cactus.data.files.progress_lines import ProgressLines


def test_lines_tell_what_is_done_and_left(capsys):
    progress = ProgressLines("preparing x", 4, "images", interval=0.0)
    for _ in range(4):
        progress.advance()
    progress.finish()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"preparing x: 2 of 4 images, \d+ s left, [\d.]+/s", lines[1])
    assert lines[-1].startswith("preparing x: 4 of 4 images, 0 s left")


def test_short_loops_are_silent(capsys):
    progress = ProgressLines("x", None, "bytes")
    progress.advance(1000)
    progress.finish()
    assert capsys.readouterr().err == ""


def test_unknown_total_in_megabytes(capsys):
    progress = ProgressLines("x", None, "bytes", interval=0.0)
    progress.advance(25_000_000)
    assert re.fullmatch(r"x: 25 MB, [\d.]+/s\n", capsys.readouterr().err)
