import pytest

from cactus.data.arrays import load_images, load_manifest, load_sources
from cactus.data.prepare import check_raw
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    SETTINGS,
    flat_jpeg,
    mini_csv,
    mini_flat,
    mini_images,
    mini_split_folders,
    write_any,
    write_files,
    write_tar,
    write_zip,
)
from tests.unit.data.readers.miniimagenet.mini import (
    CLASSES,
    FORMS,
    IMAGES,
    check_content,
    fails,
    run,
)


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("packing", ["folder", "zip", "tar.gz", "tar"])
def test_every_form_gives_the_same_images(tmp_path, form, packing):
    write_any(tmp_path / "raw/miniimagenet", "mini-imagenet", FORMS[form], packing)
    check_content(run(tmp_path))


def test_zipped_images_beside_csv_files(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    images = {name: data for name, data in members.items() if name.startswith("images/")}
    write_zip(tmp_path / "raw/miniimagenet/images.zip", images)
    write_files(tmp_path / "raw/miniimagenet", mini_csv(CLASSES, IMAGES))
    out = run(tmp_path)
    check_content(out)
    records = {record.file: record.official for record in load_sources(out).raw}
    assert records == {"images.zip": None, "train.csv": False, "val.csv": False, "test.csv": False}


def test_one_archive_per_split(tmp_path):
    members = mini_split_folders(CLASSES, IMAGES)
    for split in CLASSES:
        of_split = {name: data for name, data in members.items() if name.startswith(f"{split}/")}
        write_tar(tmp_path / f"raw/miniimagenet/{split}.tar", of_split, "w")
    check_content(run(tmp_path))


def test_archive_beside_its_unpacked_folder_counts_once(tmp_path):
    members = mini_split_folders(CLASSES, IMAGES)
    write_zip(tmp_path / "raw/miniimagenet/mini.zip", members)
    write_files(tmp_path / "raw/miniimagenet", members)
    check_content(run(tmp_path))


def test_equal_names_in_own_train_and_val_are_different_images(tmp_path):
    members = {}
    for name, group in IMAGES.items():
        for i, data in enumerate(group.values()):
            members[f"{'val' if i % 2 else 'train'}/{name}/{i // 2}.jpg"] = data
    write_files(tmp_path / "raw/miniimagenet", members)
    out = run(tmp_path)
    assert len(load_images(out, "train")) == 12
    assert any("folders of another split" in note for note in load_sources(out).notes)


def test_other_forms_of_the_folder_name_and_tar_paths(tmp_path):
    members = {f"./{name}": data for name, data in mini_split_folders(CLASSES, IMAGES).items()}
    write_tar(tmp_path / "raw/mini-imagenet/mini.tgz", members)
    check_content(run(tmp_path))


def test_other_sizes_are_resized_and_noted(tmp_path):
    images = mini_images(CLASSES, size=(100, 75))
    write_files(tmp_path / "raw/miniimagenet", mini_split_folders(CLASSES, images))
    out = run(tmp_path)
    check_content(out, images)
    assert "28 images of 100x75 were resized to 84x84 (lanczos)" in load_sources(out).notes


def test_missing_images_are_counted(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    wnid = CLASSES["val"][0]
    del members[f"images/{next(iter(IMAGES[wnid]))}"]
    write_files(tmp_path / "raw/miniimagenet", members)
    notes = load_sources(run(tmp_path)).notes
    assert [note for note in notes if "missing" in note] == [
        "val: 7 of 8 images and 2 of 2 classes are present, 1 images missing"
    ]


def test_missing_classes_of_the_published_split_are_counted(tmp_path):
    write_files(tmp_path / "raw/miniimagenet", mini_split_folders(CLASSES, IMAGES))
    notes = load_sources(run(tmp_path)).notes
    assert "test: 8 of 12000 images and 2 of 20 classes are present, 11992 images missing" in notes


def test_classes_that_are_not_listed_are_noted(tmp_path):
    """All of ImageNet may lie there: the listed classes are taken."""
    members = mini_split_folders(CLASSES, IMAGES) | {"train/tabby/1.jpg": flat_jpeg(1)}
    write_files(tmp_path / "raw/miniimagenet", members | {"n01440764/1.JPEG": flat_jpeg(2)})
    out = run(tmp_path)
    check_content(out)
    assert (
        "2 classes (2 images) that the Ravi-Larochelle lists do not name were not used: "
        "n01440764, tabby"
    ) in load_sources(out).notes


def test_classes_of_which_none_is_listed_are_named(tmp_path):
    members = {f"{split}/tabby/1.jpg": flat_jpeg(1) for split in CLASSES}
    assert "tabby" in fails(tmp_path, members, "are unknown").got


def test_listed_classes_whose_images_have_other_names(tmp_path):
    """The names of ImageNet's own files are not those in the lists of Ravi and Larochelle."""
    members = mini_csv(CLASSES, IMAGES) | {"images/n01440764/n01440764_0.JPEG": flat_jpeg(2)}
    for name, group in IMAGES.items():
        for i, data in enumerate(group.values()):
            members[f"images/{name}/{name}_{i}.JPEG"] = data
    write_files(tmp_path / "raw/miniimagenet", members)
    out = run(tmp_path)
    check_content(out)
    assert any("n01440764" in note for note in load_sources(out).notes)


def test_one_archive_per_class(tmp_path):
    """ImageNet's own archives are named by wnid and have no folders."""
    for name, group in IMAGES.items():
        members = {f"{name}_{i}.JPEG": data for i, data in enumerate(group.values())}
        write_tar(tmp_path / f"raw/miniimagenet/{name}.tar", members, "w")
    check_content(run(tmp_path))


def test_listed_images_of_class_folders_are_taken(tmp_path):
    members = mini_split_folders(CLASSES, IMAGES) | mini_csv(CLASSES, IMAGES)
    extra = {f"train/{CLASSES['train'][0]}/other{i}.jpg": flat_jpeg(i) for i in range(3)}
    write_files(tmp_path / "raw/miniimagenet", members | extra)
    out = run(tmp_path)
    check_content(out)
    assert "3 images that are in no list were not used" in load_sources(out).notes


def test_own_classes_may_be_listed_in_csv_files(tmp_path):
    classes = {"train": ["tabby", "pug"], "val": ["crane"], "test": ["fern"]}
    images = mini_images(classes)
    members = mini_split_folders(classes, images) | mini_csv(classes, images)
    write_files(tmp_path / "raw/miniimagenet", members)
    assert load_manifest(run(tmp_path)).splits["train"].classes == ["pug", "tabby"]


def test_class_with_too_few_images(tmp_path):
    members = mini_split_folders(CLASSES, IMAGES)
    wnid = CLASSES["test"][1]
    for file in list(IMAGES[wnid])[:2]:
        del members[f"test/{wnid}/{file}"]
    error = fails(tmp_path, members, "too few images")
    assert wnid in error.where
    assert error.got.startswith("2 images")


def test_split_without_any_class(tmp_path):
    members = mini_split_folders(CLASSES | {"val": []}, IMAGES)
    assert "val" in fails(tmp_path, members, "has no image").where


def test_list_that_names_only_absent_images(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    members["val.csv"] = b"filename,label\nn0000000000000001.jpg,n00000000\n"
    error = fails(tmp_path, members, "None of the images")
    assert "n0000000000000001.jpg" in error.got


@pytest.mark.parametrize("content", [b"", b"file,class\na,b\n", b"filename,label\na.jpg\n"])
def test_list_in_another_format(tmp_path, content):
    fails(tmp_path, mini_flat(CLASSES, IMAGES) | {"val.csv": content}, "list of images is not")


def test_class_in_two_lists(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    members["val.csv"] = members["train.csv"]
    fails(tmp_path, members, "two splits")


def test_flat_images_need_the_csv_files(tmp_path):
    members = mini_flat(CLASSES, IMAGES)
    del members["val.csv"]
    error = fails(tmp_path, members, "are missing")
    assert error.got == "no val.csv"
    check_raw("miniimagenet", SETTINGS.model_copy(update={"download": True}), tmp_path / "raw")


def test_empty_folder_tells_what_to_put_there(tmp_path):
    (tmp_path / "raw/miniimagenet").mkdir(parents=True)
    downloading = SETTINGS.model_copy(update={"download": True})
    with pytest.raises(DataError) as caught:
        check_raw("miniimagenet", downloading, tmp_path / "raw")
    text = str(caught.value)
    for expected in ("raw/miniimagenet/", "mini-imagenet-cache-", "https://", "no redistribution"):
        assert expected in text
