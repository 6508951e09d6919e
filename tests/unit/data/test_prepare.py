import hashlib
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cactus.data.arrays import load_images, load_manifest, load_sources
from cactus.data.files.registry import load_registry
from cactus.data.prepare import check_raw, complete_raw, load_reader, prepare, with_access
from cactus.errors import DataError, StorageError
from cactus.files import file_hash
from cactus.stages.prepare_data import RawAccess
from tests.unit.data.rawfiles import (
    SETTINGS,
    mnist_arrays,
    mnist_members,
    omniglot_members,
    write_files,
    write_tar,
    write_zip,
)

DATASETS = ["mnist", "omniglot", "miniimagenet", "celeba"]


def prepared(tmp_path, synthetic=False):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays()))
    prepare("mnist", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=synthetic)
    return tmp_path / "out"


@pytest.mark.parametrize("synthetic", [True, False])
def test_manifest_describes_the_files(tmp_path, synthetic):
    out = prepared(tmp_path, synthetic)
    manifest = load_manifest(out)
    assert manifest.dataset == "mnist"
    assert manifest.synthetic is synthetic
    assert manifest.image_shape == (28, 28, 1)
    for split in manifest.splits.values():
        for record in (split.images, split.labels):
            assert file_hash(out / record.file) == record.sha256
    for record in load_sources(out).raw:
        content = (tmp_path / "raw/mnist" / record.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == record.sha256
    expected = {f"{split}_{kind}.npy" for split in manifest.splits for kind in ("images", "labels")}
    expected |= {f"{split}_names.txt" for split in manifest.splits}
    assert {path.name for path in out.iterdir()} == expected | {"manifest.json", "sources.json"}


def test_same_input_same_bytes(tmp_path):
    for name in ("a", "b"):
        for part, members in omniglot_members().items():
            write_zip(tmp_path / f"{name}/omniglot/{part}.zip", members)
        prepare("omniglot", SETTINGS, tmp_path / name, tmp_path / f"{name}_out", synthetic=False)
    first, second = (load_manifest(tmp_path / f"{name}_out").splits for name in ("a", "b"))
    assert first == second


def test_interrupted_preparation_leaves_no_manifest(tmp_path):
    out = prepared(tmp_path)
    images = tmp_path / "raw/mnist/t10k-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        prepare("mnist", SETTINGS, tmp_path / "raw", out, synthetic=False)
    assert not (out / "manifest.json").exists()
    with pytest.raises(DataError, match="not prepared"):
        load_images(out, "train")


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("no folder")
    with pytest.raises((StorageError, OSError)):
        prepared(tmp_path)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("exists", [True, False])
def test_missing_data_tell_where_to_put_what(tmp_path, dataset, exists):
    folder = tmp_path / "raw" / dataset
    if exists:
        folder.mkdir(parents=True)
    entry = load_registry()[dataset]
    for call in (
        lambda: check_raw(dataset, SETTINGS, tmp_path / "raw"),
        lambda: prepare(dataset, SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False),
    ):
        with pytest.raises(DataError, match="are missing") as caught:
            call()
        assert caught.value.where == f"{folder}/"
        assert entry.page in caught.value.fix
        assert entry.license in caught.value.fix
    assert not (tmp_path / "out").exists()


def test_access_replaces_its_own_keys_only():
    access = RawAccess(
        raw_dir="elsewhere", download=not SETTINGS.download, download_timeout=3, download_attempts=2
    )
    settings = with_access(SETTINGS, access)
    assert {**SETTINGS.model_dump(), **access.model_dump()} == settings.model_dump()


def test_synthetic_data_are_never_completed_by_downloads(tmp_path):
    downloading = SETTINGS.model_copy(update={"download": True})
    with pytest.raises(DataError, match="are missing"):
        prepare("mnist", downloading, tmp_path / "raw", tmp_path / "out", synthetic=True)


def test_check_leaves_tar_archives_to_the_preparation(tmp_path):
    write_tar(tmp_path / "raw/omniglot/any.tar.gz", {"nothing.txt": b""})
    check_raw("omniglot", SETTINGS, tmp_path / "raw")
    with pytest.raises(DataError, match="are missing"):
        prepare("omniglot", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)


def test_missing_files_are_downloaded(tmp_path):
    members = mnist_members(mnist_arrays())
    write_files(tmp_path / "site", members)
    present = "t10k-labels-idx1-ubyte.gz"
    write_files(tmp_path / "raw/mnist", {present: members[present]})

    class Site(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "site"))

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        entry = load_registry()["mnist"]
        files = [
            file.model_copy(
                update={
                    "md5": hashlib.md5(members[file.name]).hexdigest(),
                    "urls": [f"http://127.0.0.1:{server.server_port}/{file.name}"],
                }
            )
            for file in entry.files
            if file.name in members
        ]
        local = entry.model_copy(update={"files": files})
        downloading = SETTINGS.model_copy(update={"download": True})
        folder = complete_raw(
            load_reader("mnist", downloading), local, downloading, tmp_path / "raw"
        )
        server.shutdown()
        thread.join()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == members
    prepare("mnist", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)


def test_preparation_needs_no_torch():
    scripts = Path(__file__).parents[3] / "workflow" / "scripts"
    code = (
        f"import sys; sys.path.insert(0, {str(scripts)!r})\n"
        "from cactus.config.sections.data.section import DataSettings\n"
        "from cactus.data.prepare import load_reader\n"
        f"[load_reader(name, DataSettings()) for name in {DATASETS}]\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
