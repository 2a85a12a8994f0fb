import socket
import stat

import pytest
from aiohttp import web

from proxy.admin.listening import Listener
from proxy.admin.options import ListenError, TcpAddress, UnixAddress


async def test_a_free_port_is_told_once_it_is_bound():
    listener = Listener(web.Application(), TcpAddress("127.0.0.1", 0))
    assert listener.port is None
    await listener.start()
    assert listener.port > 0
    await listener.stop()
    await listener.stop()


async def test_a_port_in_use_is_the_operators_to_mend():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listener = Listener(web.Application(), TcpAddress("127.0.0.1", taken.getsockname()[1]))
        with pytest.raises(ListenError, match=r"cannot listen on 127\.0\.0\.1:\d+: "):
            await listener.start()


async def test_a_unix_socket_is_for_its_user_and_group_and_goes_with_the_listener(tmp_path):
    path = tmp_path / "s.sock"
    listener = Listener(web.Application(), UnixAddress(str(path)))
    await listener.start()
    assert listener.port is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    await listener.stop()
    assert not path.exists()


async def test_the_socket_file_of_a_killed_process_is_taken_over(tmp_path):
    path = tmp_path / "s.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    listener = Listener(web.Application(), UnixAddress(str(path)))
    await listener.start()
    await listener.stop()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ListenError, match="precious"):
        await Listener(web.Application(), UnixAddress(str(path))).start()
    assert path.read_text() == "data"


async def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ListenError, match="cannot listen on unix:"):
        await Listener(web.Application(), UnixAddress(str(tmp_path / "no" / "s.sock"))).start()
