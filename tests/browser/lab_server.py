"""A JupyterLab server of its own: no settings, kernels or news from outside."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    # Every cell is in the page, also those that are scrolled out of sight.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


class LabServer:
    """`jupyter lab` on a free port, with folders of its own. Use as a context manager."""

    def __init__(self, root: Path, home: Path) -> None:
        overrides = home / "config" / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(SETTINGS))
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        self._log = (home / "jupyterlab.log").open("wb")
        self._runtime = home / "runtime"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
             "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={root}"],
            env=clean | {
                "JUPYTER_CONFIG_DIR": str(home / "config"),
                "JUPYTER_DATA_DIR": str(home / "data"),
                "JUPYTER_RUNTIME_DIR": str(self._runtime),
                "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
                "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel, not the user's
                "IPYTHONDIR": str(home / "ipython"),
            },
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()  # it takes its kernels along
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the kernels notice that it is gone
            self._process.wait()
        self._log.close()

    def address(self, path: str, timeout: float = 60) -> str:
        """The URL of a page, token included, once the server listens."""
        info = self._runtime / f"jpserver-{self._process.pid}.json"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                found = json.loads(info.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
            else:
                return f"{found['url']}{path}?token={found['token']}"
        raise RuntimeError(f"JupyterLab did not start:\n{Path(self._log.name).read_text()}")
