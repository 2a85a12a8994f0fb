"""The address of all workers: one for them, refused where somebody else is there, free again at the end."""

import errno
import socket
import stat
from contextlib import ExitStack, closing

import pytest

from proxy.service.port import Port


def listening(port, *, shared):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(50)
    return sock


@pytest.fixture
def held():
    port = Port("127.0.0.1:0")
    port.take()
    yield port
    port.release()


def test_the_kernel_chooses_one_port_for_all(held):
    assert held.port > 0
    assert held.listen == f"127.0.0.1:{held.port}"
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(listening(held.port, shared=True))


def test_connections_go_to_those_who_listen_only(held):
    with ExitStack() as stack:
        worker = stack.enter_context(listening(held.port, shared=True))
        worker.settimeout(5)
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", held.port), timeout=5))
            stack.enter_context(worker.accept()[0])


@pytest.mark.parametrize("shared", [False, True], ids=["its own", "one that it would share"])
def test_a_port_on_which_another_service_listens_is_refused(shared):
    with closing(listening(0, shared=shared)) as other:
        taken = Port(f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(OSError, match="Address already in use"):
            taken.take()


def test_no_two_sidecars_have_one(held):
    with pytest.raises(OSError, match="Address already in use"):
        Port(held.listen).take()


def test_it_is_free_at_the_end(held):
    port = held.port
    held.release()
    held.release()
    listening(port, shared=False).close()


def test_a_name_with_several_addresses_has_one_port(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    port = Port("several.example:0")
    port.take()
    with closing(listening(port.port, shared=True)):
        assert sorted(held.getsockname() for held in port._held) == [
            ("127.0.0.1", port.port), ("127.0.0.2", port.port),
        ]  # fmt: skip
    port.release()


def test_where_the_kernel_chose_a_port_that_is_taken_on_another_address_it_chooses_again(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    taken = []

    class Taken(socket.socket):
        def bind(self, address):
            if address[0] == "127.0.0.2" and len(taken) < 2:
                taken.append(address[1])
                raise OSError(errno.EADDRINUSE, "Address already in use")
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Taken)
    port = Port("several.example:0")
    port.take()
    assert len(port._held) == 2
    assert len(taken) == 2
    port.release()


def test_an_address_that_is_not_ours_is_refused():
    port = Port("192.0.2.1:0")
    with pytest.raises(OSError, match="Cannot assign"):
        port.take()
    assert port._held == []


def test_a_unix_socket_is_listened_on_once_and_removed_at_the_end(tmp_path):
    path = tmp_path / "front.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()  # a process that was killed has left its file
    port = Port(f"unix:{path}")
    port.take()
    assert port.port == 0
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    port.release()
    assert not path.exists()


def test_a_file_that_is_no_socket_is_nobodys_to_remove(tmp_path):
    path = tmp_path / "letter"
    path.write_text("dear")
    with pytest.raises(OSError, match="Address already in use"):
        Port(f"unix:{path}").take()
    assert path.read_text() == "dear"
