"""A replay on another kind of processor says so where results differ."""

import pytest
import torch

from tests.workflow.crate.tools import TRAINED, cactus

pytestmark = pytest.mark.workflow


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX"), reason="a plain processor"
)
def test_a_replay_on_another_instruction_set_names_both(crate, tmp_path, monkeypatch):
    here = torch.backends.cpu.get_cpu_capability()
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    code, output = cactus(tmp_path, "replay", str(crate), TRAINED.name)
    assert code == 1, output
    (line,) = [one for one in output.splitlines() if "model.safetensors" in one]
    assert "DIFFERENT: recomputed" in line
    assert ", and the processor's instruction set differs: recorded torch " in line
    assert f"recorded torch {here}, here torch DEFAULT" in line
