import errno
import fcntl
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cactus.data.files.fetch import Retry, download
from cactus.data.files.registry import OfficialFile
from cactus.errors import DataError, StorageError

CONTENT = bytes(range(256)) * 2000
HTML = b"<!DOCTYPE html><html>Quota exceeded</html>"


class Handler(BaseHTTPRequestHandler):
    """Serve CONTENT in the way that the path names; the server counts and logs requests."""

    def do_GET(self):
        start = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        self.server.requests.append((self.path, int(start)))
        getattr(self, self.path.strip("/").split("/")[0])(int(start))

    def good(self, start):
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def cut(self, start):
        """Break the first transfers off after 100,000 bytes."""
        if len(self.server.requests) > self.server.cuts:
            self.good(start)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + 100_000])
        self.close_connection = True

    def whole(self, _start):
        """Know no ranges."""
        self.good(0)

    def other_part(self, start):
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start + 1}-9/{len(CONTENT)}")
        self.end_headers()

    def html(self, _start):
        self.send_response(200)
        self.send_header("Content-Length", str(len(HTML)))
        self.end_headers()
        self.wfile.write(HTML)

    def altered(self, _start):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT[:-1] + b"x")

    def absent(self, _start):
        self.send_error(404)

    def down(self, _start):
        self.send_error(503)

    def silent(self, _start):
        self.server.released.wait(10)

    def log_message(self, *_arguments):
        """Keep quiet."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.requests, running.cuts, running.released = [], 1, threading.Event()
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetch(server, folder, *ways, attempts=3, timeout=5.0):
    urls = [f"http://127.0.0.1:{server.server_port}/{way}/file.bin" for way in ways]
    file = OfficialFile(name="file.bin", md5=hashlib.md5(CONTENT).hexdigest(), urls=urls)
    return download(file, folder, Retry(timeout, attempts, pause=0.0))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_download(server, tmp_path):
    path = fetch(server, tmp_path / "new", "good")
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["file.bin"]
    assert server.requests == [("/good/file.bin", 0)]


def test_interrupted_transfer_goes_on_within_one_call(server, tmp_path):
    server.cuts = 2
    assert fetch(server, tmp_path, "cut").read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [0, 100_000, 200_000]


def test_interrupted_transfer_goes_on_in_a_later_call(server, tmp_path):
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        fetch(server, tmp_path, "cut", attempts=1)
    assert "100000 of 512000 bytes" in caught.value.got
    assert names(tmp_path) == ["file.bin.part"]
    assert fetch(server, tmp_path, "good").read_bytes() == CONTENT
    assert server.requests[-1] == ("/good/file.bin", 100_000)
    assert names(tmp_path) == ["file.bin"]


def test_another_mirror_goes_on_where_the_first_stopped(server, tmp_path):
    assert fetch(server, tmp_path, "cut", "good", attempts=1).read_bytes() == CONTENT
    assert server.requests[-1] == ("/good/file.bin", 100_000)


@pytest.mark.parametrize("way", ["html", "altered", "absent", "down", "other_part"])
def test_bad_mirror_gives_way_to_the_next(server, tmp_path, way):
    assert fetch(server, tmp_path, way, "good", attempts=2).read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(
    ("way", "reason", "requests"),
    [
        ("html", "HTML page", 1),
        ("altered", "another checksum", 1),
        ("absent", "404", 1),
        ("down", "503", 3),
    ],
)
def test_no_good_mirror(server, tmp_path, way, reason, requests):
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        fetch(server, tmp_path, way)
    assert reason in caught.value.got
    assert f":{server.server_port}/{way}" in caught.value.got
    assert len(server.requests) == requests
    assert names(tmp_path) == []


def test_server_without_ranges_sends_the_whole_again(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    assert fetch(server, tmp_path, "whole").read_bytes() == CONTENT


def test_wrong_beginning_is_thrown_away(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"other" * 100)
    assert fetch(server, tmp_path, "good").read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [500, 0]


@pytest.mark.parametrize("extra", [b"", b"too long"])
def test_part_that_is_whole_or_too_long(server, tmp_path, extra):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + extra)
    assert fetch(server, tmp_path, "good").read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]


def test_silence_ends_with_an_error(server, tmp_path):
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(server, tmp_path, "silent", attempts=1, timeout=0.2)


def test_unreachable_server(tmp_path, server):
    server.server_port = 1
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(server, tmp_path, "good", attempts=1)


def test_two_that_download_a_file_at_once_share_it(server, tmp_path):
    with (tmp_path / "file.bin.part").open("ab") as other, ThreadPoolExecutor() as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = [pool.submit(fetch, server, tmp_path, "good") for _ in range(2)]
        time.sleep(0.3)
        assert server.requests == []
        fcntl.flock(other, fcntl.LOCK_UN)
        assert [one.result().read_bytes() for one in waiting] == [CONTENT, CONTENT]
    assert len(server.requests) == 1
    assert names(tmp_path) == ["file.bin"]


def test_a_lost_route_is_an_error_of_the_network(server, tmp_path, monkeypatch):
    read, errors = HTTPResponse.read, [OSError(errno.EHOSTUNREACH, "No route to host")]

    def lost(response, size=None):
        if errors:
            raise errors.pop()
        return read(response, size)

    monkeypatch.setattr(HTTPResponse, "read", lost)
    assert fetch(server, tmp_path, "good").read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"):
        fetch(server, tmp_path / "file", "good")
