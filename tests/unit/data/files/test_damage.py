import pytest

from cactus.data.files.damage import damage_reported, is_html, refuse_impostor
from cactus.errors import DataError


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<!DOCTYPE html>\n<html>", True),
        (b"\xef\xbb\xbf\r\n <HTML lang='en'>", True),
        (b"<?xml version='1.0'?><!DOCTYPE html>", True),
        (b"<!-- saved page -->\n<html>", True),
        (b"<head><title>", True),
        (b"filename,label\n<html>", False),
        (b"<htmlx", False),
        (b"PK\x03\x04<html>", False),
        (b"", False),
    ],
)
def test_web_pages(tmp_path, content, expected):
    path = tmp_path / "data.zip"
    path.write_bytes(content)
    assert is_html(path) is expected
    if expected:
        with pytest.raises(DataError, match="web page") as caught:
            refuse_impostor(path)
        assert caught.value.where == str(path)
    else:
        refuse_impostor(path)


def test_only_errors_of_reading_are_turned(tmp_path):
    with pytest.raises(DataError, match="damaged") as caught, damage_reported(tmp_path / "a"):
        raise EOFError("ended early")
    assert "ended early" in caught.value.got
    with pytest.raises(KeyError), damage_reported(tmp_path / "a"):
        raise KeyError("a bug")
