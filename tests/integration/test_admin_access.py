"""Who may ask what, on which listener."""

import pytest
from admincontrol import FakeControl, serving

from proxy.admin.options import AdminOptions, ListenError
from proxy.admin.server import Admin

TOKEN = "s3cr3t-token"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "evil.example"}, 421, id="a rebound name"),
        pytest.param({"Host": "localhost.evil.example"}, 421, id="a name that begins like ours"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="a page elsewhere"),
        pytest.param({"Origin": "null"}, 403, id="a page of nowhere"),
        pytest.param({"Origin": "http://127.0.0.1:3000"}, 403, id="another service of this machine"),
        pytest.param({"Host": "localhost"}, 200, id="localhost"),
        pytest.param({}, 200, id="no page at all"),
    ],
)
@pytest.mark.parametrize(
    "call", [("GET", "/stats"), ("POST", "/stats/reset"), ("PURGE", "/plans/7"), ("GET", "/livez")]
)
async def test_foreign_pages_are_refused_even_on_loopback(api, headers, status, call):
    assert (await api.ask(*call, headers=headers))[0] == status


async def test_its_own_pages_are_served(api):
    assert (await api.ask("POST", "/stats/reset", headers={"Origin": api.url}))[0] == 200


async def test_with_a_token_nothing_goes_without_it():
    control = FakeControl()
    async with serving(control, token=TOKEN) as api:
        calls = [
            ("POST", "/purge"), ("GET", "/purge"), ("PURGE", "/plans/7"), ("GET", "/entries?url=/x"), ("GET", "/stats"),
            ("POST", "/stats/reset"), ("GET", "/health"), ("GET", "/config"), ("POST", "/reload"), ("GET", "/metrics"),
            ("GET", "/explain?url=/x"), ("GET", "/events"), ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/nothing"),
        ]  # fmt: skip
        for method, target in calls:
            status, document, fields = await api.ask(method, target)
            assert (status, fields["WWW-Authenticate"]) == (401, 'Bearer realm="sapwood"'), target
            assert TOKEN not in str(document)
        assert (await api.ask("GET", "/stats", headers={"Authorization": f"Bearer {TOKEN}x"}))[0] == 401
        assert (await api.ask("GET", "/stats", headers=WITH_TOKEN))[0] == 200
        assert (await api.ask("GET", "/stats", headers={**WITH_TOKEN, "Host": "evil.example"}))[0] == 421
        assert control.purges == []
        assert control.resets == 0


async def test_names_that_the_operator_gave_are_ours():
    async with serving(FakeControl(), token=TOKEN, hosts=("sapwood.default.svc",)) as api:
        headers = {**WITH_TOKEN, "Host": "sapwood.default.svc:9091"}
        assert (await api.ask("GET", "/stats", headers=headers))[0] == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "10.0.0.1:9091", "sapwood.example:9091"])
def test_without_a_token_nobody_elsewhere_may_reach_it(listen):
    with pytest.raises(ListenError, match="without a token"):
        Admin(AdminOptions(listen=listen), FakeControl(), None)


async def test_a_unix_socket_needs_no_token_and_has_no_foreign_names(tmp_path):
    async with serving(FakeControl(), listen=f"unix:{tmp_path}/s.sock") as api:
        assert api.admin.port is None
        assert (await api.ask("GET", "/stats", at="http://sapwood"))[0] == 200
        assert (await api.ask("GET", "/stats", at="http://sapwood", headers={"Origin": "http://evil.example"}))[
            0
        ] == 403


async def test_the_probe_listener_serves_three_things_to_anybody():
    control = FakeControl()
    async with serving(control, token=TOKEN) as api:
        for target in ("/livez", "/readyz", "/metrics"):
            answer = await api.ask("GET", target, at=api.probes_url, headers={"Host": "10.1.2.3"})
            assert answer[0] == 200, target
        assert "sapwood_store_up 1.0" in answer[1]
        assert answer[2]["Content-Type"].startswith("text/plain; version=")
        for method, target in (
            ("GET", "/"),
            ("GET", "/stats"),
            ("POST", "/purge"),
            ("PURGE", "/plans/7"),
            ("GET", "/config"),
        ):
            assert (await api.ask(method, target, at=api.probes_url, headers=WITH_TOKEN))[0] == 404, target
        assert control.purges == []


async def test_probes_say_what_is_so_on_both_listeners():
    control = FakeControl(is_ready=False, store_is_down=True)
    async with serving(control) as api:
        for at in (api.url, api.probes_url):
            assert (await api.ask("GET", "/livez", at=at))[0] == 200
            assert (await api.ask("GET", "/readyz", at=at))[:2] == (503, {"ready": False})
        control.is_alive = False
        assert (await api.ask("GET", "/livez"))[0] == 503


async def test_when_the_second_listener_cannot_open_neither_is(api):
    options = AdminOptions(listen="127.0.0.1:0", probes_listen=f"127.0.0.1:{api.admin.port}")
    admin = Admin(options, FakeControl(), None)
    with pytest.raises(ListenError):
        await admin.start()
    with pytest.raises(OSError, match="Cannot connect"):
        await api.ask("GET", "/livez", at=f"http://127.0.0.1:{admin.port}")
