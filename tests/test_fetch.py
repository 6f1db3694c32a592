"""Fetching: what a server can do wrong, where a fetch may go, and what is kept."""

import _thread
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from picture_server import HUGE_BYTES, PNG, PictureServer

from mlx_magic import __version__, fetch
from mlx_magic.errors import ImageProblem
from mlx_magic.fetch import Fetcher, is_public, shown_url

MIB = 2**20
PUBLIC = "93.184.216.34"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine has, it can't reach the server here."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="module")
def module_server() -> Iterator[PictureServer]:
    with PictureServer() as server:
        yield server


@pytest.fixture
def server(module_server: PictureServer) -> PictureServer:
    """The module's server with nothing asked of it yet."""
    module_server.paths.clear()
    module_server.headers.clear()
    module_server.sent_bytes = 0
    module_server.hung_up.clear()
    return module_server


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    """A patient person's fetcher that does not wait long between its attempts."""
    with closing(Fetcher(backoff_seconds=0.01)) as made:
        yield made


def refused(fetcher: Fetcher, url: str, max_bytes: int = MIB) -> str:
    """The one line with which a fetch is refused."""
    with pytest.raises(ImageProblem) as caught:
        fetcher.fetch(url, max_bytes)
    line = str(caught.value)
    assert line and len(line) <= 400 and len(line.splitlines()) == 1, line
    return line


# --- what a server may do ---


def test_a_picture_arrives_and_the_server_learns_who_asks(
    server: PictureServer, fetcher: Fetcher
) -> None:
    assert fetcher.fetch(server.url + "/wikipedia.png", MIB) == PNG
    (headers,) = server.headers
    assert headers["user-agent"].startswith(f"mlx-magic/{__version__} (+https://")
    assert headers["accept-encoding"] == "identity"


def test_a_client_that_does_not_say_who_it_is_would_be_refused(server: PictureServer) -> None:
    with httpx.Client() as client:
        assert client.get(server.url + "/wikipedia.png").status_code == 403


def test_the_content_type_is_not_believed(server: PictureServer, fetcher: Fetcher) -> None:
    assert fetcher.fetch(server.url + "/wrong-type", MIB) == PNG


@pytest.mark.parametrize("hops", [1, 5])
def test_redirects_are_followed(server: PictureServer, fetcher: Fetcher, hops: int) -> None:
    assert fetcher.fetch(f"{server.url}/redirect/{hops}", MIB) == PNG
    assert server.requests == hops + 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/redirect/6", "redirects more than 5 times"),
        ("/loop", "redirects in a circle"),
        ("/to-ftp", "redirects to 'example.org/cat.png'; only http:// and https://"),
        ("/to-file", "only http:// and https://"),
        ("/status/404", "answered 404 Not Found for /status/404; check the address"),
        ("/status/403", "answered 403 Forbidden"),
        ("/status/410", "answered 410 Gone"),
        ("/status/304", "answered 304 Not Modified"),
        ("/status/477", "answered 477 for"),
        ("/brotli.png", "comes as 'br'"),
    ],
)
def test_what_won_t_change_is_one_line_after_one_attempt(
    server: PictureServer, fetcher: Fetcher, path: str, words: str
) -> None:
    assert words in refused(fetcher, server.url + path)
    assert max(server.paths.values()) == 1


def test_a_redirect_to_nonsense_is_one_line(server: PictureServer) -> None:
    with closing(Fetcher(retries=0)) as fetcher:
        assert "Invalid URL in location" in refused(fetcher, server.url + "/to-nonsense")


@pytest.mark.parametrize(
    ("path", "attempts"),
    [("/flaky.png", 3), ("/busy.png", 2), ("/hang-up.png", 2), ("/short-once.png", 2)],
)
def test_what_passes_is_tried_again(
    server: PictureServer, fetcher: Fetcher, path: str, attempts: int
) -> None:
    assert fetcher.fetch(server.url + path, MIB) == PNG
    assert server.paths[path] == attempts


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/status/500", "answered 500 Internal Server Error for /status/500, 4 attempts"),
        ("/status/503", "answered 503 Service Unavailable"),
        ("/short.png", f"received 20 bytes, expected {len(PNG)}"),
        ("/gzip-cut.png", "broke off after"),
    ],
)
def test_what_does_not_pass_ends_after_four_attempts(
    server: PictureServer, fetcher: Fetcher, path: str, words: str
) -> None:
    assert words in refused(fetcher, server.url + path)
    assert server.paths[path] == 4


def test_a_server_that_asks_for_an_hour_is_not_asked_again(
    server: PictureServer, fetcher: Fetcher
) -> None:
    assert "429 Too Many Requests" in refused(fetcher, server.url + "/closed.png")
    assert server.paths["/closed.png"] == 1


def test_the_pause_between_attempts_doubles(
    server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(fetch._Line, "sleep", lambda line, seconds: pauses.append(seconds))
    with closing(Fetcher()) as fetcher:
        refused(fetcher, server.url + "/status/502")
    assert pauses == [0.5, 1.0, 2.0]


def test_bytes_after_the_announced_end_are_left_out(
    server: PictureServer, fetcher: Fetcher
) -> None:
    assert fetcher.fetch(server.url + "/long.png", MIB) == PNG


def test_a_server_that_is_not_there_is_one_line(fetcher: Fetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "the connection to 127.0.0.1" in refused(fetcher, f"http://127.0.0.1:{port}/cat.png")


def test_a_host_that_is_not_there_is_asked_for_once(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def nowhere(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    line = refused(fetcher, "http://no.such.host/cat.png")
    assert "there is no host 'no.such.host'" in line and "check the address" in line
    assert asked == ["no.such.host"]


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///cat.png",
        "https://?",
        "http://[::1/cat.png",
        "http://exa\nmple.org/cat.png",
        "http://example.org:99999999/cat.png",
        "http://127.0.0.1:70000/cat.png",
        "http://" + "a" * 70 + ".example/cat.png",
        "http://" + "a" * 100_000,
        "ftp://example.org/cat.png",
        "file:///etc/passwd",
        "cat.png",
        "",
        "http://\udcff/",
    ],
)
def test_an_address_that_is_none_is_one_line(fetcher: Fetcher, url: str) -> None:
    refused(fetcher, url)


# --- how much, and how long ---


def test_a_body_that_announces_2_gib_is_refused_at_once(
    server: PictureServer, fetcher: Fetcher
) -> None:
    line = refused(fetcher, server.url + "/huge.png")
    assert f"{HUGE_BYTES:,} bytes" in line and "1.00 MiB" in line
    assert server.hung_up.wait(5) and server.sent_bytes < 32 * MIB


def test_a_body_that_announces_nothing_is_cut_off_at_the_limit(
    server: PictureServer, fetcher: Fetcher
) -> None:
    assert "1,048,576 (1.00 MiB) are the most" in refused(fetcher, server.url + "/endless.png")
    assert server.hung_up.wait(5) and server.sent_bytes < 32 * MIB


def test_a_body_of_exactly_the_limit_is_taken(server: PictureServer, fetcher: Fetcher) -> None:
    assert fetcher.fetch(server.url + "/cat.png", len(PNG)) == PNG
    assert f"{len(PNG)} bytes" in refused(fetcher, server.url + "/the-same.png", len(PNG) - 1)


def test_gzip_that_nobody_asked_for_is_unpacked(server: PictureServer, fetcher: Fetcher) -> None:
    assert fetcher.fetch(server.url + "/gzipped.png", MIB) == PNG


def test_a_gzip_bomb_is_counted_as_unpacked(server: PictureServer, fetcher: Fetcher) -> None:
    assert "1,048,576" in refused(fetcher, server.url + "/gzip-bomb.png")


@pytest.mark.parametrize("path", ["/drip.png", "/drip-headers.png", "/silent.png"])
def test_a_slow_server_ends_at_the_deadline(server: PictureServer, path: str) -> None:
    begin = time.monotonic()
    with closing(Fetcher(total_seconds=0.5)) as fetcher:
        assert "was not there after 500 ms" in refused(fetcher, server.url + path)
    assert time.monotonic() - begin < 5
    assert path == "/silent.png" or server.hung_up.wait(5)  # the connection is closed as well


def test_a_silent_server_is_asked_again_after_its_time(server: PictureServer) -> None:
    with closing(Fetcher(read_seconds=0.1, retries=1, backoff_seconds=0.01)) as fetcher:
        assert "keeps silent, 2 attempts" in refused(fetcher, server.url + "/silent.png")
    assert server.paths["/silent.png"] == 2


def test_ctrl_c_leaves_a_slow_download_at_once_and_closes_the_connection(
    server: PictureServer, fetcher: Fetcher
) -> None:
    def interrupt() -> None:
        while not server.requests:
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        fetcher.fetch(server.url + "/drip.png", MIB)
    assert server.hung_up.wait(5)


# --- what is kept ---


def test_the_same_address_is_fetched_once(server: PictureServer, fetcher: Fetcher) -> None:
    first = fetcher.fetch(server.url + "/cat.png", MIB)
    assert fetcher.fetch(server.url + "/cat.png", MIB) is first
    assert server.requests == 1
    assert str(len(PNG)) in refused(fetcher, server.url + "/cat.png", len(PNG) - 1)


def test_equal_bodies_are_kept_once(server: PictureServer, fetcher: Fetcher) -> None:
    fetcher.fetch(server.url + "/cat.png", MIB)
    fetcher.fetch(server.url + "/the-same.png", MIB)
    assert len(fetcher._kept._bodies) == 1
    fetcher.forget(server.url + "/cat.png")
    assert fetcher.fetch(server.url + "/the-same.png", MIB) == PNG
    assert server.requests == 2


def test_what_is_forgotten_is_fetched_anew(server: PictureServer, fetcher: Fetcher) -> None:
    for _ in range(2):
        fetcher.fetch(server.url + "/cat.png", MIB)
        fetcher.forget(server.url + "/cat.png")
    assert server.requests == 2


def test_a_failure_is_not_kept(server: PictureServer) -> None:
    with closing(Fetcher(retries=0)) as fetcher:
        refused(fetcher, server.url + "/busy.png")
        assert fetcher.fetch(server.url + "/busy.png", MIB) == PNG


def test_the_least_recently_used_goes_when_64_mib_are_full() -> None:
    kept = fetch._Kept()
    for number in range(4):
        kept.put(f"url {number}", bytes([number]) * (20 * MIB))
        assert kept.get("url 0") is not None
    assert kept.get("url 1") is None and kept.get("url 3") is not None
    kept.put("too much", bytes(65 * MIB))
    assert kept.get("too much") is None and kept.get("url 3") is None
    assert not kept._bodies


def test_a_closed_fetcher_opens_again(server: PictureServer, fetcher: Fetcher) -> None:
    fetcher.fetch(server.url + "/cat.png", MIB)
    fetcher.close()
    assert fetcher.fetch(server.url + "/the-same.png", MIB) == PNG


# --- where it may go ---


class Network:
    """DNS and routes of a small internet: what was resolved, and where connections went.

    Connections to `PUBLIC` reach the picture server; all others are refused and noted.
    """

    def __init__(self, server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.resolved: list[str] = []
        self.connected: list[str] = []
        connect = socket.create_connection

        def routed(address: tuple[str, int], *args: Any, **named: Any) -> socket.socket:
            self.connected.append(address[0])
            if address[0] != PUBLIC:
                raise OSError(f"no route to {address[0]}")
            return connect(("127.0.0.1", server.port), *args, **named)

        monkeypatch.setattr(socket, "create_connection", routed)

    def resolve(self, host: str, port: int) -> list[str]:
        """The next answer for a host; the last one stays."""
        self.resolved.append(host)
        answers = self.answers.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def network(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(server, monkeypatch)


@pytest.fixture
def careful(network: Network) -> Iterator[Fetcher]:
    """A fetcher on behalf of somebody else."""
    with closing(Fetcher(allow_private=False, retries=0, resolve=network.resolve)) as made:
        yield made


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
        "[fe80::1]",
        "[fec0::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
    ],
)
def test_no_form_of_a_private_address_is_connected_to(
    server: PictureServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    network = Network(server, monkeypatch)
    with closing(Fetcher(allow_private=False)) as careful:  # with the system's own resolver
        line = refused(careful, f"http://{host}:{server.port}/cat.png")
    assert re.search("not at a public address|is no address|there is no host", line)
    assert not network.connected and not server.requests


def test_a_public_host_is_asked_by_the_address_that_was_checked_and_by_its_name(
    server: PictureServer, network: Network, careful: Fetcher
) -> None:
    network.answers["pictures.example"] = [[PUBLIC]]
    assert careful.fetch("http://pictures.example/cat.png", MIB) == PNG
    assert network.connected == [PUBLIC]
    assert server.headers[0]["host"] == "pictures.example"


def test_a_host_with_one_private_address_is_refused(
    server: PictureServer, network: Network, careful: Fetcher
) -> None:
    network.answers["both.example"] = [[PUBLIC, "10.0.0.1"]]
    assert "not at a public address" in refused(careful, "http://both.example/cat.png")
    assert not network.connected


def test_the_next_address_is_tried_when_one_does_not_answer(
    network: Network, careful: Fetcher
) -> None:
    network.answers["two.example"] = [["2606:2800:220:1::1", PUBLIC]]
    assert careful.fetch("http://two.example/cat.png", MIB) == PNG
    assert network.connected == ["2606:2800:220:1::1", PUBLIC]


def test_a_redirect_to_a_private_address_is_refused(
    server: PictureServer, network: Network, careful: Fetcher
) -> None:
    network.answers["pictures.example"] = [[PUBLIC]]
    line = refused(careful, "http://pictures.example/to-private")
    assert "not at a public address" in line and "169.254.169.254" in line
    assert network.connected == [PUBLIC] and server.requests == 1


def test_a_name_that_changes_its_address_is_looked_up_once_and_then_gains_nothing(
    server: PictureServer, network: Network, careful: Fetcher
) -> None:
    network.answers["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert careful.fetch("http://rebinding.example/cat.png", MIB) == PNG
    assert network.resolved == ["rebinding.example"] and network.connected == [PUBLIC]
    assert "not at a public" in refused(careful, "http://rebinding.example/the-same.png")
    assert network.connected == [PUBLIC] and server.requests == 1


def test_a_rebinding_between_redirects_is_refused(
    server: PictureServer, network: Network, careful: Fetcher
) -> None:
    network.answers["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert "not at a public" in refused(careful, "http://rebinding.example/redirect/1")
    assert network.connected == [PUBLIC] and server.requests == 1


def test_no_proxy_steps_around_the_check(
    server: PictureServer, network: Network, careful: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("ALL_PROXY", server.url)
    network.answers["pictures.example"] = [[PUBLIC]]
    assert careful.fetch("http://pictures.example/cat.png", MIB) == PNG
    assert network.connected == [PUBLIC]


def test_a_host_without_any_address_is_one_line(network: Network, careful: Fetcher) -> None:
    network.answers["nowhere.example"] = [[]]
    assert "has no address" in refused(careful, "http://nowhere.example/cat.png")


def test_tls_asks_for_the_name_although_it_connects_to_the_address(
    network: Network, careful: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ssl

    asked: list[Any] = []

    def wrapped(context: ssl.SSLContext, *_: Any, **named: Any) -> Any:
        asked.append((named["server_hostname"], context.check_hostname, context.verify_mode))
        raise OSError("that is enough")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrapped)
    network.answers["pictures.example"] = [[PUBLIC]]
    assert "that is enough" in refused(careful, "https://pictures.example/cat.png")
    assert asked == [("pictures.example", True, ssl.CERT_REQUIRED)]


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


# --- what is shown ---


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.org/cat.png?key=secret#secret", "example.org/cat.png"),
        ("https://example.org", "example.org"),
        ("http://example.org:8080/", "example.org:8080"),
        ("https://a@b@example.org/x", "example.org/x"),
        ("https://example.org/\u202egnp.exe\x1b[31m", "example.org/gnp.exe[31m"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_long_address_is_shown_by_its_ends() -> None:
    shown = shown_url("https://example.org/" + "x" * 500 + "/cat.png")
    assert re.fullmatch(r"example\.org/x+…x+/cat\.png", shown) and len(shown) == 80


def test_no_message_shows_credentials(server: PictureServer, fetcher: Fetcher) -> None:
    where = server.url.replace("http://", "http://me:secret@")
    for path in ("/status/404", "/status/500", "/short.png", "/loop", "/to-nonsense", "/huge.png"):
        assert "secret" not in refused(fetcher, f"{where}{path}?key=secret")


@pytest.mark.parametrize("work", [Fetcher.fetch, Fetcher.close])
def test_a_fetcher_costs_nothing_before_its_first_fetch(work: Callable[..., Any]) -> None:
    fetcher = Fetcher()
    assert fetcher._client is None
    fetcher.close()
