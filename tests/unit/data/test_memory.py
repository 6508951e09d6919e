"""Preparation must stream: memory may not grow as the arrays do."""

import subprocess
import sys
from pathlib import Path

from tests.unit.data.rawfiles import celeba_images, celeba_lists, write_files, write_zip

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
CODE = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from cactus.config.sections.data.section import DataSettings
from cactus.data.prepare import prepare
prepare("celeba", DataSettings(), Path(sys.argv[2]), Path(sys.argv[3]), synthetic=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kib(tmp_path, count):
    root = tmp_path / str(count)
    write_zip(root / "celeba/img_align_celeba.zip", celeba_images(count, size=(16, 16)))
    write_files(root / "celeba", celeba_lists(count))
    command = [sys.executable, "-c", CODE, str(SCRIPTS), str(root), str(root / "out")]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_does_not_grow_with_the_images(tmp_path):
    few, many = 100, 1600
    growth = (peak_kib(tmp_path, many) - peak_kib(tmp_path, few)) * 1024
    arrays = (many - few) * 84 * 84 * 3
    assert growth < arrays / 2
