"""A kernel to measure in, and times as a front end sees them."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from jupyter_client.manager import KernelManager


class Notebook:
    """A fresh kernel of this interpreter; use as a context manager."""

    def __enter__(self) -> "Notebook":
        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv = [
            sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
            "--IPKernelApp.log_level=ERROR",
        ]  # fmt: skip
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(
        self, code: str, awaited: Callable[[str], bool] = lambda _: False
    ) -> tuple[float, float, str]:
        """Execute a cell: seconds until its end, seconds until an output is the `awaited` one,
        and what it printed."""
        started = time.perf_counter()
        seen, printed = 0.0, ""

        def look(message: dict[str, Any]) -> None:
            nonlocal seen, printed
            content = message["content"]
            text = content.get("text") or content.get("data", {}).get("text/plain", "")
            if not seen and text and awaited(text):
                seen = time.perf_counter() - started
            if message["msg_type"] == "stream":
                printed += content["text"]
            if message["msg_type"] == "error":
                raise RuntimeError("\n".join(content["traceback"]))

        self.client.execute_interactive(code, output_hook=look, timeout=600)
        return time.perf_counter() - started, seen, printed

    def value(self, code: str) -> Any:
        """Execute a cell whose printed output is JSON."""
        return json.loads(self.run(code)[2])
