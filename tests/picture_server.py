"""A web server on this machine that serves a picture, in every way that a server can go wrong."""

import gzip
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

HUGE_BYTES = 2 * 2**30


def png_bytes(width: int = 8, height: int = 4) -> bytes:
    """A small valid PNG, all of one colour, made without Pillow."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    rows = (b"\0" + b"\x20\x80\xc0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


PNG = png_bytes()


class PictureServer:
    """The server; use it in a `with` block. `paths` counts what was asked for.

    with PictureServer() as server:
        Fetcher().fetch(server.url + "/cat.png", 1000)
    """

    def __init__(self) -> None:
        self.paths: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.sent_bytes = 0  # of the bodies that never end
        self.hung_up = threading.Event()  # a client left such a body
        self.stopping = threading.Event()
        server = self

        class Handler(_Handler):
            owner = server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def requests(self) -> int:
        """How many requests have come in all."""
        return self.paths.total()


class _Handler(BaseHTTPRequestHandler):
    owner: PictureServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        path = self.path.partition("?")[0]
        self.owner.paths[path] += 1
        self.owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        answer = _ANSWERS.get(path) or _BY_FOLDER.get(path.split("/")[1])
        try:
            if answer is None:
                self.send(404, b"nothing here")
            else:
                answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.owner.hung_up.set()

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.start(status, **{"Content_Length": str(len(body)), **headers})
        self.wfile.write(body)

    def start(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": "image/png", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def argument(self) -> str:
        return self.path.rpartition("/")[2]

    # One method for each thing that a server does.

    def picture(self) -> None:
        self.send(200, PNG)

    def wikipedia(self) -> None:
        """Refuse who does not say who it is and where to ask."""
        agent = self.headers.get("User-Agent", "")
        known = "(+https://" in agent and not agent.startswith(("python", "curl"))
        self.send(*(200, PNG) if known else (403, b"Please set a user-agent"))

    def wrong_type(self) -> None:
        self.send(200, PNG, Content_Type="text/html")

    def web_page(self) -> None:
        self.send(200, b"<!DOCTYPE html><html><body>Not found, sorry</body></html>")

    def redirect(self) -> None:
        left = int(self.argument())
        self.send(302, b"", Location=f"/redirect/{left - 1}" if left > 1 else "/cat.png")

    def loop(self) -> None:
        self.send(301, b"", Location="/loop-back" if self.path == "/loop" else "/loop")

    def to_ftp(self) -> None:
        self.send(302, b"", Location="ftp://example.org/cat.png")

    def to_file(self) -> None:
        self.send(302, b"", Location="file:///etc/passwd")

    def to_nonsense(self) -> None:
        self.send(302, b"", Location="http://[::1/cat.png")

    def to_private(self) -> None:
        self.send(302, b"", Location=f"http://169.254.169.254:{self.owner.port}/cat.png")

    def status(self) -> None:
        self.send(int(self.argument()), b"no")

    def flaky(self) -> None:
        """Fail twice, then answer."""
        good = self.owner.paths[self.path] > 2
        self.send(*(200, PNG) if good else (503, b"later"))

    def busy(self) -> None:
        """Ask to wait a little once, then answer."""
        good = self.owner.paths[self.path] > 1
        self.send(*(200, PNG) if good else (429, b"slow down"), Retry_After="0")

    def closed(self) -> None:
        self.send(429, b"slow down", Retry_After="3600")

    def hang_up(self) -> None:
        """Break off once, then answer."""
        if self.owner.paths[self.path] > 1:
            self.send(200, PNG)

    def short(self) -> None:
        self.send(200, PNG[:20], Content_Length=str(len(PNG)))

    def short_once(self) -> None:
        self.picture() if self.owner.paths[self.path] > 1 else self.short()

    def long(self) -> None:
        self.send(200, PNG + bytes(1000), Content_Length=str(len(PNG)))

    def huge(self) -> None:
        self.start(200, Content_Length=str(HUGE_BYTES))
        self._zeros()

    def endless(self) -> None:
        """2 GiB with no word about it beforehand."""
        self.start(200, Transfer_Encoding="chunked")
        self._zeros(chunked=True)

    def _zeros(self, chunked: bool = False) -> None:
        block = bytes(2**16)
        data = b"10000\r\n" + block + b"\r\n" if chunked else block
        while self.owner.sent_bytes < HUGE_BYTES:
            self.wfile.write(data)
            self.owner.sent_bytes += len(block)

    def gzipped(self) -> None:
        self.send(200, gzip.compress(PNG), Content_Encoding="gzip")

    def gzip_bomb(self) -> None:
        self.send(200, gzip.compress(bytes(64 * 2**20)), Content_Encoding="gzip")

    def gzip_cut(self) -> None:
        self.send(200, gzip.compress(PNG)[:-12], Content_Encoding="gzip")

    def brotli(self) -> None:
        self.send(200, b"\x8b\x02\x80", Content_Encoding="br")

    def drip(self) -> None:
        """A byte now and then: never silent, never done."""
        self.start(200, Content_Length="1000000")
        self._drip(b"\x89")

    def drip_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drip(b"a")

    def _drip(self, byte: bytes) -> None:
        while not self.owner.stopping.is_set():
            self.wfile.write(byte)
            time.sleep(0.02)

    def silent(self) -> None:
        self.owner.stopping.wait(30)


_ANSWERS: dict[str, Callable[[_Handler], None]] = {
    "/cat.png": _Handler.picture,
    "/the-same.png": _Handler.picture,
    "/wikipedia.png": _Handler.wikipedia,
    "/wrong-type": _Handler.wrong_type,
    "/page.png": _Handler.web_page,
    "/loop": _Handler.loop,
    "/loop-back": _Handler.loop,
    "/to-ftp": _Handler.to_ftp,
    "/to-file": _Handler.to_file,
    "/to-nonsense": _Handler.to_nonsense,
    "/to-private": _Handler.to_private,
    "/flaky.png": _Handler.flaky,
    "/busy.png": _Handler.busy,
    "/closed.png": _Handler.closed,
    "/hang-up.png": _Handler.hang_up,
    "/short.png": _Handler.short,
    "/short-once.png": _Handler.short_once,
    "/long.png": _Handler.long,
    "/huge.png": _Handler.huge,
    "/endless.png": _Handler.endless,
    "/gzipped.png": _Handler.gzipped,
    "/gzip-bomb.png": _Handler.gzip_bomb,
    "/gzip-cut.png": _Handler.gzip_cut,
    "/brotli.png": _Handler.brotli,
    "/drip.png": _Handler.drip,
    "/drip-headers.png": _Handler.drip_headers,
    "/silent.png": _Handler.silent,
}
_BY_FOLDER: dict[str, Callable[[_Handler], None]] = {
    "redirect": _Handler.redirect,
    "status": _Handler.status,
}
