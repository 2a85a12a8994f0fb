import socket

import pytest

from proxy.demo.ports import DemoError, Ports


def test_seven_neighbours_each_with_one_use():
    ports = Ports(9000)
    used = [ports.backend, *(of(i) for of in (ports.traffic, ports.admin, ports.probes) for i in (0, 1))]
    assert used == list(range(9000, 9007))


@pytest.mark.parametrize("base", [-1, 0, 65530, 70000])
def test_a_base_without_room_is_refused(base):
    with pytest.raises(DemoError, match="leaves no room"):
        Ports(base).check()


def test_every_taken_port_is_named():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        base = min(port, 65529)
        with pytest.raises(DemoError, match=rf"ports? .*{port}.* taken"):
            Ports(base).check()
