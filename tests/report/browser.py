"""A real browser for tests, driven by the DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

# Windows in which a report is looked at: width and height.
SIZES: Final = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
_PATIENCE: Final = 60.0
_LARGEST_MESSAGE: Final = 256 << 20


def required(found: object, what: str) -> None:
    """Skip the test without a tool, unless CI requires it."""
    if not found:
        if os.environ.get("CACTUS_REQUIRE_BROWSER"):
            pytest.fail(f"{what}, and CACTUS_REQUIRE_BROWSER is set")
        pytest.skip(what)


@contextlib.contextmanager
def browser() -> Iterator["Browser"]:
    """Start a browser, with one page and nothing of an earlier session."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    required(program, "there is no Chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        command = [str(program), *_OPTIONS, f"--user-data-dir={place}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with asyncio.Runner() as runner:
                port, path = _address(Path(place, "DevToolsActivePort"), process)
                connected = websocket_connect(
                    f"ws://127.0.0.1:{port}{path}", max_message_size=_LARGEST_MESSAGE
                )
                started = Browser(runner, runner.run(_wait(connected)))
                yield started
                started.close()
        finally:
            process.terminate()
            process.wait()


async def _wait(future: Any) -> Any:
    return await future


def _address(file: Path, process: "subprocess.Popen[bytes]") -> tuple[str, str]:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if file.is_file() and len(lines := file.read_text().splitlines()) == 2:
            return lines[0], lines[1]
        time.sleep(0.05)
    raise RuntimeError("Chromium has not started")


class Browser:
    """One page of a browser.

    Attributes
    ----------
    complaints
        What the page wrote to its console, and errors.
    requests
        The addresses that it asked for.
    """

    def __init__(self, runner: asyncio.Runner, socket: WebSocketClientConnection) -> None:
        self._runner, self._socket, self._number, self._session = runner, socket, 0, ""
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        page = next(
            one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"
        )
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._in_loop(self._socket.write_message, json.dumps(message))
        answer = self._until(lambda one: one.get("id") == message["id"])
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _in_loop(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function of the socket in its own loop; other tests may end the default one."""

        async def call() -> None:
            function(*arguments)

        self._runner.run(call())

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            text = self._runner.run(asyncio.wait_for(_wait(self._socket.read_message()), _PATIENCE))
            if text is None:
                raise RuntimeError("Chromium has closed the connection")
            message: dict[str, Any] = json.loads(text)
            self._hear(message.get("method", ""), message.get("params", {}))
            if wanted(message):
                return message

    def _hear(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"{told['type']}: {told['args']}")
        elif method == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(self, file: Path, place: str = "") -> None:
        """Open a file, at a place in it, and wait until it is loaded."""
        self._loaded = False
        went = self.call("Page.navigate", url=f"{file.absolute().as_uri()}{place}")
        if "loaderId" in went and not self._loaded:  # else only to another place of the page
            self._until(lambda one: one.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of an expression of JavaScript, which may be a promise."""
        done = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"]["exception"]["description"])
        return done["result"].get("value")

    def size(self, width: int, height: int, *, dark: bool = False, scripts: bool = True) -> None:
        """Set the window's size, the colors that the reader prefers, and whether scripts run."""
        phone = width < 500
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def press(self, key: str, code: int) -> None:
        """Press a key, e.g. ``Tab`` with code 9 or ``Enter`` with code 13."""
        text = {"text": "\r"} if key == "Enter" else {}
        words = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **words, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)

    def screenshot(self, file: Path) -> None:
        """Save what the window shows as PNG."""
        shown = self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shown["data"]))

    def close(self) -> None:
        """End the browser's session."""
        self._in_loop(self._socket.close)
