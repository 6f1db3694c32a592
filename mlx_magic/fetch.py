"""Fetching over HTTP: one client, and rules for where it may go and how much it may bring.

Knows nothing of pictures: it hands over bytes, whatever the server calls them. The transfer runs
in a thread of its own, so that the caller's thread can leave it at any moment.
"""

import hashlib
import ipaddress
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from . import __version__
from .errors import ImageProblem
from .plain import one_line
from .units import count, format_bytes, format_seconds

if TYPE_CHECKING:
    import httpx

# Wikimedia and others refuse clients that don't say who they are:
# https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy
USER_AGENT = f"mlx-magic/{__version__} (+https://github.com/mlx-magic/mlx_magic)"

_KEPT_BYTES = 64 * 2**20
_MAX_RETRY_AFTER_SECONDS = 5.0

Resolver = Callable[[str, int], list[str]]


class Fetcher:
    """Fetches files over HTTP for one session, and keeps what it fetched, up to 64 MiB.

        fetcher = Fetcher()
        data = fetcher.fetch("https://example.org/cat.png", max_bytes=20 * 2**20)

    With `allow_private=False` it goes to public addresses only, redirects and names that change
    their address included, and past no proxy: for requests that the person did not type.
    `connect_seconds` and `read_seconds` bound one silence, `total_seconds` the whole fetch with
    its redirects and retries. `resolve` finds a host's addresses for the check.
    """

    def __init__(
        self,
        *,
        allow_private: bool = True,
        connect_seconds: float = 10.0,
        read_seconds: float = 20.0,
        total_seconds: float = 60.0,
        max_redirects: int = 5,
        retries: int = 3,
        backoff_seconds: float = 0.5,
        resolve: Resolver | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._total_seconds = total_seconds
        self._max_redirects = max_redirects
        self._retries = retries
        self._backoff_seconds = backoff_seconds
        self._resolve = resolve or _resolve
        self._kept = _Kept()
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()  # one client, whichever thread comes first

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """What lies at an http or https address, from memory when it was fetched before.

        Raises `ImageProblem` when it can't be had: the server's answer, more than `max_bytes`, a
        timeout, a circle of redirects, an address that is not allowed.
        """
        body = self._kept.get(url)
        if body is None:
            line = _Line(shown_url(url), self._total_seconds)
            body = _in_thread(lambda: self._persist(_parsed(url), max_bytes, line), line)
            self._kept.put(url, body)
        elif len(body) > max_bytes:
            raise _too_large(shown_url(url), len(body), max_bytes)
        return body

    def forget(self, url: str) -> None:
        """Fetch it anew the next time: what came was of no use."""
        self._kept.drop(url)

    def close(self) -> None:
        """Close the client; the next fetch opens another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _persist(self, url: "httpx.URL", max_bytes: int, line: "_Line") -> bytes:
        """Follow the address, again after what may pass."""
        for attempt in range(self._retries + 1):
            try:
                return self._follow(url, max_bytes, line)
            except _Passing as passing:
                if attempt == self._retries or passing.wait_seconds > _MAX_RETRY_AFTER_SECONDS:
                    tried = count(attempt + 1, "attempt")
                    raise ImageProblem(f"{passing}, {tried}; try again later") from passing
                line.sleep(max(passing.wait_seconds, self._backoff_seconds * 2**attempt))
        raise AssertionError("the loop returns or raises")

    def _follow(self, url: "httpx.URL", max_bytes: int, line: "_Line") -> bytes:
        """Go from redirect to redirect, each checked like the first address."""
        start, seen = line.shown, {url}
        for _ in range(self._max_redirects + 1):
            line.shown = shown_url(str(url))
            with _translated(line), self._open(url, line) as response:
                if not response.has_redirect_location:
                    return _received(response, max_bytes, line)
                url = url.join(response.headers["location"]).copy_with(fragment=None)
            if url in seen:
                raise ImageProblem(f"{start} redirects in a circle; check the address")
            seen.add(url)
            shown = shown_url(str(url)) or f"{url.scheme}: address"
            _require_http(url, f"{start} redirects to {shown!r}")
        raise ImageProblem(
            f"{start} redirects more than {count(self._max_redirects, 'time')}; "
            f"pass the address that it ends at"
        )

    @contextmanager
    def _open(self, url: "httpx.URL", line: "_Line") -> "Iterator[httpx.Response]":
        response = self._send(url, line)
        try:
            yield response
        finally:
            response.close()

    def _send(self, url: "httpx.URL", line: "_Line") -> "httpx.Response":
        """Ask for the address at the first of its host's IP addresses that answers."""
        import httpx

        if self._allow_private:
            return self._ask(url, {}, {}, line)
        # The request names the checked IP address itself: nothing looks the name up again. Host
        # header, TLS server name and certificate stay those of the name.
        host = {"Host": url.netloc.decode("ascii")}
        server_name = {"sni_hostname": url.raw_host.decode("ascii")}
        problem: Exception | None = None
        for address in self._public_addresses(url):
            try:
                return self._ask(url.copy_with(host=address), host, server_name, line)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = error
        assert problem is not None
        raise problem

    def _ask(
        self, url: "httpx.URL", headers: dict[str, str], extensions: dict[str, Any], line: "_Line"
    ) -> "httpx.Response":
        import httpx

        line.check()
        client = self._shared_client()
        request = client.build_request(
            "GET",
            url,
            headers=headers,
            timeout=httpx.Timeout(
                line.at_most(self._read_seconds), connect=line.at_most(self._connect_seconds)
            ),
            extensions={"trace": line.watch, **extensions},
        )
        return client.send(request, stream=True)

    def _shared_client(self) -> "httpx.Client":
        import httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    headers={
                        "User-Agent": USER_AGENT,
                        "Accept": "image/*,*/*;q=0.5",
                        "Accept-Encoding": "identity",
                    },
                    # A proxy would make the connection for us, to an address we did not check.
                    trust_env=self._allow_private,
                    # A kept connection belongs to an IP address, and its certificate to one name.
                    limits=httpx.Limits(max_keepalive_connections=0),
                )
            return self._client

    def _public_addresses(self, url: "httpx.URL") -> list[str]:
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = self._resolve(url.raw_host.decode("ascii"), port)
        for address in addresses:
            if not is_public(address):
                # Which address it is remains unsaid: who asks may have no business in this network.
                raise ImageProblem(
                    f"{shown_url(str(url))} is not at a public address, and nothing else is "
                    f"fetched for others; send the picture itself"
                )
        if not addresses:
            raise ImageProblem(f"{shown_url(str(url))} has no address; check the spelling")
        return addresses


def shown_url(url: str) -> str:
    """An address for a person to read: host and path, no credentials and no query.

    >>> shown_url("https://me:secret@example.org/cat.png?key=1")
    'example.org/cat.png'
    """
    _, _, rest = url.partition("://")
    place = rest.replace("\\", "/").split("?")[0].split("#")[0]
    host, slash, path = place.partition("/")
    line = one_line(host.rpartition("@")[2] + (slash + path if path else ""), 10**6)
    return line if len(line) <= 80 else f"{line[:39]}…{line[-40:]}"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; IPv4 inside of IPv6 is looked at.

    >>> is_public("8.8.8.8"), is_public("::ffff:10.0.0.1")
    (True, False)
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _embedded(ip)
        if inner is None:
            # Global unicast, the only part of IPv6 that is given out: RFC 4291, section 2.4
            return ip.is_global and ip in _GLOBAL_UNICAST
        ip = inner
    return ip.is_global and not ip.is_multicast


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4 or NAT64."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _parsed(url: str) -> "httpx.URL":
    import httpx

    try:
        parsed = httpx.URL(url).copy_with(fragment=None)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_address(shown_url(url), error) from None
    _require_http(parsed, f"{shown_url(url)!r} is no address that can be fetched")
    return parsed


def _require_http(url: "httpx.URL", otherwise: str) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise ImageProblem(f"{otherwise}; only http:// and https:// addresses with a host are")


def _no_address(shown: str, error: Exception) -> ImageProblem:
    return ImageProblem(f"{shown!r} is no address: {one_line(str(error), 120)}; check the spelling")


class _Passing(Exception):
    """A failure that may be over soon; `wait_seconds` is what the server asks for."""

    def __init__(self, text: str, wait_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


@contextmanager
def _translated(line: "_Line") -> Iterator[None]:
    """Say in our words what httpx raises: an `ImageProblem`, or a `_Passing` one."""
    import ssl

    import httpx

    host = line.shown.partition("/")[0]
    try:
        yield
    except httpx.TimeoutException as error:
        line.check()
        connecting = isinstance(error, httpx.ConnectTimeout)
        what = "can't be reached" if connecting else "keeps silent"
        raise _Passing(f"{host} {what}") from error
    except (httpx.TransportError, OSError) as error:
        line.check()  # a cut line fails as well
        why = one_line(str(error), 160) or type(error).__name__
        root = _root(error)
        if isinstance(root, socket.gaierror) and root.errno != socket.EAI_AGAIN:
            raise ImageProblem(f"there is no host {host!r} ({why}); check the address") from error
        if isinstance(root, ssl.SSLCertVerificationError):
            raise ImageProblem(
                f"{host} is not to be trusted ({why}); save the picture and pass its path"
            ) from error
        raise _Passing(f"the connection to {host} failed ({why})") from error
    except (httpx.InvalidURL, UnicodeError, OverflowError) as error:
        raise _no_address(line.shown, error) from error


def _root(error: BaseException) -> BaseException:
    """The error of the system below those of httpx and httpcore."""
    while under := error.__cause__ or error.__context__:  # httpcore raises some `from None`
        error = under
    return error


def _received(response: "httpx.Response", max_bytes: int, line: "_Line") -> bytes:
    """The body of a good answer; anything else is an error with what to do about it."""
    status = response.status_code
    if 200 <= status < 300:
        return _body(response, max_bytes, line)
    with suppress(ValueError):  # any number may come
        status = HTTPStatus(status)
    phrase = f" {status.phrase}" if isinstance(status, HTTPStatus) else ""
    host, slash, path = line.shown.partition("/")
    what = f"{host} answered {int(status)}{phrase} for {slash + path or '/'}"
    if status == 429 or status >= 500:
        wait = response.headers.get("retry-after", "")
        raise _Passing(what, float(wait) if wait.isdecimal() else 0.0)
    if status in (404, 410):
        raise ImageProblem(f"{what}; check the address")
    raise ImageProblem(f"{what}; open it in a browser, save the picture and pass its path")


def _body(response: "httpx.Response", max_bytes: int, line: "_Line") -> bytes:
    """The body, counted while it comes, and counted as unpacked: it may be a gzip bomb."""
    import zlib

    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(line.shown, int(announced), max_bytes)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise ImageProblem(
            f"{line.shown} comes as {one_line(encoding, 20)!r} though nothing of the kind was "
            f"asked for; save the picture and pass its path"
        )
    # 32 + the window's bits: a gzip or a zlib header, whichever comes
    unpack = None if encoding in ("", "identity") else zlib.decompressobj(32 + zlib.MAX_WBITS)
    body = bytearray()
    for raw in response.iter_raw():
        line.check()
        try:
            body += raw if unpack is None else unpack.decompress(raw, max_bytes + 1 - len(body))
        except zlib.error as error:
            raise _Passing(f"{line.shown} is damaged {encoding} data ({error})") from error
        if len(body) > max_bytes:
            raise _too_large(line.shown, None, max_bytes)
    if unpack is not None and body and not unpack.eof:
        raise _Passing(f"{line.shown} broke off after {format_bytes(len(body))}")
    return bytes(body)


def _too_large(shown: str, size_bytes: int | None, max_bytes: int) -> ImageProblem:
    size = "more" if size_bytes is None else f"{size_bytes:,} bytes"
    return ImageProblem(
        f"{shown} has {size}, and {max_bytes:,} ({format_bytes(max_bytes)}) are the most; "
        f"pass a smaller one"
    )


class _Stopped(Exception):
    """Ends a thread whose fetch was left."""


class _Line:
    """What the caller's thread and the fetching one share: a deadline, and a way to hang up.

    `shown` is the address that is being fetched, for messages.
    """

    def __init__(self, shown: str, seconds: float) -> None:
        self.shown = shown
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._stopping = threading.Event()
        self._stream: Any = None

    def check(self) -> None:
        """Raise when the fetch was left, or has taken too long."""
        if self._stopping.is_set():
            raise _Stopped
        if time.monotonic() >= self._deadline:
            raise ImageProblem(
                f"{self.shown} was not there after {format_seconds(self._seconds)}; "
                f"try again later, or save the picture and pass its path"
            )

    def sleep(self, seconds: float) -> None:
        """Wait, but not past the deadline and not when the fetch is left."""
        self._stopping.wait(self.at_most(seconds))
        self.check()

    def at_most(self, seconds: float) -> float:
        """That many seconds, or what is left of the time."""
        return max(0.0, min(seconds, self._deadline - time.monotonic()))

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's `trace`: remember the connection as soon as there is one."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
            if self._stopping.is_set():
                self._stream.close()
                raise _Stopped

    def cut(self) -> None:
        """End the fetch, and a read that is waiting for bytes (called from another thread)."""
        self._stopping.set()
        stream = self._stream
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            # The plain socket's shutdown: the TLS one would drop its state under the reader.
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _in_thread(work: Callable[[], bytes], line: _Line) -> bytes:
    """Do the work in a daemon thread; an interrupt or the deadline hangs up and leaves it."""
    bodies: list[bytes] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            bodies.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="mlx_magic-fetch", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            line.check()
            thread.join(0.05)
    finally:
        line.cut()
    if errors:
        raise errors[0]
    return bodies[0]


class _Kept:
    """Bodies by their content, and the addresses that gave them, least recently used first."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, bytes] = OrderedDict()  # url -> SHA-256 of its body
        self._bodies: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def get(self, url: str) -> bytes | None:
        with self._lock:
            if url not in self._digests:
                return None
            self._digests.move_to_end(url)
            return self._bodies[self._digests[url]]

    def put(self, url: str, body: bytes) -> None:
        digest = hashlib.sha256(body).digest()
        with self._lock:
            self._digests[url] = digest
            self._bodies.setdefault(digest, body)
            while sum(map(len, self._bodies.values())) > _KEPT_BYTES:
                self._digests.popitem(last=False)
                self._sweep()

    def drop(self, url: str) -> None:
        with self._lock:
            self._digests.pop(url, None)
            self._sweep()

    def _sweep(self) -> None:
        named = set(self._digests.values())
        self._bodies = {d: body for d, body in self._bodies.items() if d in named}
