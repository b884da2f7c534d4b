"""A JupyterLab on the loopback, in folders of its own: notebooks that were not run there, trusted or not, in either theme."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {
    # Nothing is asked of the network, and all cells are laid out, in sight or not.
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


def program(name: str) -> str:
    """Return where a program of Jupyter's is; where there is none, skip and say so."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install jupyterlab")
    return found


def notebook(outputs: list[dict[str, str]]) -> dict[str, Any]:
    """Return a notebook with a cell for each output, as a kernel would have left it."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{at}",
            "execution_count": at + 1,
            "metadata": {},
            "source": "result",
            "outputs": [
                {"output_type": "execute_result", "execution_count": at + 1, "metadata": {}, "data": data}
            ],
        }
        for at, data in enumerate(outputs)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


class Lab:
    """A running JupyterLab."""

    def __init__(self, home: Path, environment: dict[str, str], address: str, token: str) -> None:
        self.home, self.environment, self.address, self.token = home, environment, address, token

    def write(self, name: str, outputs: list[dict[str, str]], *, trusted: bool = False) -> str:
        """Write a notebook, sign it if it is to be trusted, and return its address."""
        path = self.home / "work" / f"{name}.ipynb"
        path.write_text(json.dumps(notebook(outputs)))
        if trusted:
            subprocess.run([program("jupyter-trust"), path], env=self.environment, check=True, capture_output=True)  # fmt: skip
        return f"{self.address}/doc/workspaces/{name}/tree/{path.name}?reset&token={self.token}"

    def theme(self, name: str) -> None:
        """Set the theme of pages opened from now on: "JupyterLab Light" or "JupyterLab Dark"."""
        self._set("@jupyterlab/apputils-extension/themes", {"theme": name})

    def _set(self, plugin: str, values: dict[str, Any]) -> None:
        path = self.home / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def lab(home: Path) -> Iterator[Lab]:
    """Start JupyterLab in a folder, and end it."""
    started = program("jupyter-lab")
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = os.environ | folders | {
        "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }  # fmt: skip
    environment.pop("PYTHONPATH", None)
    (home / "work").mkdir()
    port, token = _free(), secrets.token_hex(16)
    command = [
        started, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={home / 'work'}", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = (home / "log").open("w")
    with log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            running = Lab(home, environment, f"http://127.0.0.1:{port}", token)
            _wait(server, f"{running.address}/api/status?token={token}", home / "log")
            for plugin, values in SETTINGS.items():
                running._set(plugin, values)
            yield running
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-2000:]}")
