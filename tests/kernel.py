"""A real Jupyter kernel, driven as a notebook drives it."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.manager import KernelManager


@dataclass
class Output:
    """What a cell put out: `text` of its streams, `displays` as they were, the last of each."""

    status: str = ""
    text: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)  # every update, in order
    final: dict[str, dict[str, Any]] = field(default_factory=dict)  # display id -> last bundle
    error: list[str] = field(default_factory=list)  # the traceback lines
    times: list[float] = field(default_factory=list)  # of the displays, seconds from the start
    seconds: float = 0.0
    messages: int = 0  # of any kind, on IOPub
    bytes: int = 0  # of those, as JSON

    @property
    def card(self) -> str:
        """The last display's plain text; a footer's with the card that it belongs to."""
        *before, last = [str(bundle["text/plain"]) for bundle in self.final.values()]
        alone = last.startswith("[") and "\n" not in last and before
        return f"{before[-1]}\n\n{last}".lstrip() if alone else last


class Kernel:
    """Starts a kernel; `run` executes a cell. Use as a context manager."""

    def __init__(self, **environment: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        # This interpreter's kernel, whatever kernel specs the machine has.
        self.manager.kernel_spec.argv = [
            sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher",
            "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR",
        ]  # fmt: skip
        self.manager.start_kernel(env={**os.environ, **environment})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def run(
        self,
        code: str,
        *,
        cell: str | None = None,
        during: Callable[["Kernel", Output], bool] | None = None,
        timeout: float = 60,
    ) -> Output:
        """Execute a cell and wait for it.

        `during(kernel, output)` is called after each message until it returns True.
        """
        output, started = Output(), time.monotonic()
        message = self.client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {},
             "allow_stdin": False, "stop_on_error": True},
            metadata={"cellId": cell} if cell else {},
        )  # fmt: skip
        self.client.shell_channel.send(message)
        ours = message["header"]["msg_id"]
        idle = False
        while not idle:
            reply = self.client.get_iopub_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") != ours:
                continue
            idle = self._take(reply, output, time.monotonic() - started)
            if during is not None and during(self, output):
                during = None
        while True:
            reply = self.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == ours:
                break
        output.status = reply["content"]["status"]
        output.seconds = time.monotonic() - started
        return output

    @staticmethod
    def _take(message: dict[str, Any], output: Output, seconds: float) -> bool:
        kind, content = message["msg_type"], message["content"]
        output.messages += 1
        output.bytes += len(json.dumps(message, default=str))
        if kind == "stream":
            output.text += content["text"]
        elif kind in ("display_data", "update_display_data", "execute_result"):
            output.displays.append(content["data"])
            output.times.append(seconds)
            name = content.get("transient", {}).get("display_id") or str(len(output.displays))
            output.final[name] = content["data"]
        elif kind == "error":
            output.error = content["traceback"]
        return bool(kind == "status" and content["execution_state"] == "idle")

    def ok(self, code: str, **kwargs: Any) -> Output:
        """Execute a cell that must not fail."""
        output = self.run(code, **kwargs)
        assert output.status == "ok", (code, output.error, output.text)
        return output

    def interrupt(self) -> None:
        """What the notebook's stop button does."""
        self.manager.interrupt_kernel()

    def exit_code(self, how: str, timeout: float = 30) -> int:
        """End the kernel as Jupyter's "shutdown" does, or by a "term" signal; its exit code."""
        process = self.manager.provisioner.process  # type: ignore[union-attr]
        if how == "term":
            process.send_signal(signal.SIGTERM)
        else:
            self.manager.shutdown_wait_time = timeout
            self.manager.shutdown_kernel()
        return int(process.wait(timeout))

    def complete(self, code: str) -> list[str]:
        """What Tab offers at the end of `code`."""
        ours = self.client.complete(code, len(code))
        while True:
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == ours:
                return list(reply["content"]["matches"])

    def help(self, code: str) -> str:
        """What Shift-Tab shows for `code`."""
        ours = self.client.inspect(code, len(code))
        while True:
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == ours:
                return str(reply["content"]["data"].get("text/plain", ""))
