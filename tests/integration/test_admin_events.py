"""The dashboard's page and its event stream, over real sockets."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from admincontrol import FakeControl, serving

from proxy.admin import streaming, watching
from proxy.admin.assets import FILES, POLICY
from proxy.observe.events import TaskFailed

TOKEN = "s3cr3t-token"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def quick(monkeypatch):
    """Look a hundred times a second."""
    monkeypatch.setattr(
        watching.Watch.__init__, "__kwdefaults__", {**watching.Watch.__init__.__kwdefaults__, "every": 0.01}
    )


@pytest.fixture
async def api(control, quick):
    async with serving(control) as api:
        yield api


@asynccontextmanager
async def stream(api, headers=None):
    """Open a stream; give a function that reads its next event, None at its end."""
    async with api.session.get(f"{api.url}/events", headers=headers or {}) as answer:

        async def read():
            async with asyncio.timeout(30):
                name = await answer.content.readline()
                if not name:
                    return None
                data = await answer.content.readline()
                assert await answer.content.readline() == b"\n"
            return name.decode().removeprefix("event: ").strip(), json.loads(data.removeprefix(b"data: "))

        read.answer = answer
        yield read


@pytest.mark.parametrize("path", FILES)
async def test_the_page_and_its_files_need_no_token_and_forbid_everything_else(path):
    async with serving(FakeControl(), token=TOKEN) as api:
        status, body, fields = await api.ask("GET", path)
        assert (status, fields["Content-Security-Policy"]) == (200, POLICY)
        assert fields["X-Content-Type-Options"] == "nosniff"
        assert fields["Referrer-Policy"] == "no-referrer"
        assert fields["X-Frame-Options"] == "DENY"
        assert fields["Cache-Control"] == "no-cache"
        assert "Server" not in fields
        assert TOKEN not in body
        assert (await api.ask("HEAD", path))[0] == 200
        again = await api.ask("GET", path, headers={"If-None-Match": fields["ETag"]})
        assert (again[0], again[1]) == (304, "")
        # Public is reading: nothing else of these paths goes without the token.
        assert (await api.ask("POST", path))[0] == 401
        assert (await api.ask("PURGE", path))[0] == 401
        assert (await api.ask("GET", path, headers={"Host": "evil.example"}))[0] == 421
        assert (await api.ask("GET", path, headers={"Origin": "https://evil.example"}))[0] == 403


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/index.html", "/static/../control.py", "/static/%2e%2e/guard.py", "/static/vendor/README.md"],
)
async def test_no_other_file_can_be_reached(api, path):
    assert (await api.ask("GET", path))[0] == 404


async def test_a_stream_begins_with_what_was_and_goes_on_with_what_is(api):
    async with stream(api) as read:
        assert read.answer.headers["Content-Type"] == "text/event-stream"
        assert read.answer.headers["Cache-Control"] == "no-store"
        name, history = await read()
        assert (name, history["window"]) == ("history", 10.0)
        for _ in range(2):
            name, seen = await read()
            assert (name, seen["health"]["status"], seen["service"]) == ("snapshot", "healthy", "api")


async def test_all_streams_share_one_look(quick):
    asked = []

    class Counted(FakeControl):
        async def stats(self):
            asked.append(1)
            return await super().stats()

    async with serving(Counted()) as api, stream(api) as one, stream(api) as other:
        for _ in range(20):
            assert (await one())[0] == (await other())[0]
        assert 19 <= len(asked) < 35


async def test_without_the_token_there_is_no_stream():
    async with serving(FakeControl(), token=TOKEN) as api:
        assert (await api.ask("GET", "/events"))[0] == 401
        assert (await api.ask("GET", "/events?token=" + TOKEN))[0] == 401
        async with stream(api, WITH_TOKEN) as read:
            assert (await read())[0] == "history"


async def test_pages_of_other_sites_get_no_stream(api):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert (await api.ask("GET", "/events", headers=headers))[0] == 403
    assert (await api.ask("GET", "/", headers={**headers, "Sec-Fetch-Mode": "navigate"}))[0] == 200


async def test_there_are_only_so_many_streams_and_one_that_ends_makes_room(control):
    async with serving(control, streams=2) as api, stream(api) as one:
        await one()
        async with stream(api) as other:
            await other()
            status, problem, fields = await api.ask("GET", "/events")
            assert (status, fields["Retry-After"]) == (503, "5")
            assert "2 dashboards are open already" in problem["detail"]
        async with asyncio.timeout(30):
            while (answer := await api.session.get(f"{api.url}/events")).status == 503:
                answer.release()
            answer.close()


async def test_a_listener_that_closes_ends_its_streams_at_once(control):
    async with serving(control) as api, stream(api) as read:
        await read()
        began = asyncio.get_running_loop().time()
        await api.admin.stop()
        while await read() is not None:
            pass
        assert asyncio.get_running_loop().time() - began < 4, "it did not wait for its own patience"


async def test_a_reader_that_reads_no_more_is_left(api, monkeypatch):
    monkeypatch.setattr(streaming, "SLOWEST", 0.05)
    big = [{"seq": "e:1", "selectors": ["x" * 4000] * 200}]

    async def purges():
        return big

    monkeypatch.setattr(FakeControl, "recent_purges", lambda self: purges())
    async with serving(FakeControl()) as quiet:
        _, writer = await asyncio.open_connection("127.0.0.1", quiet.admin.port, limit=1024)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        watch = watch_of(quiet)
        async with asyncio.timeout(60):
            while not watch.watchers:  # noqa: ASYNC110 - what ends it happens in the server
                await asyncio.sleep(0.01)
            while watch.watchers:  # noqa: ASYNC110 - what ends it happens in the server
                await asyncio.sleep(0.01)
        writer.close()


def watch_of(api):
    """Find the watch behind a listener."""
    app = api.admin._admin._runner.app
    (calls,) = [
        hook.__self__ for hook in app.on_shutdown if isinstance(getattr(hook, "__self__", None), streaming.StreamCalls)
    ]
    return calls._watch


async def test_a_bug_is_told_once_and_the_next_page_gets_a_new_watch(api, control):
    async with stream(api) as read:
        await read()
        control.bug = ZeroDivisionError()
        while await read() is not None:
            pass
    (told,) = [event for event in api.observer.events if isinstance(event, TaskFailed)]
    assert (told.name, type(told.error)) == ("dashboard", ZeroDivisionError)
    control.bug = None
    async with stream(api) as read:
        assert (await read())[0] == "history"
        assert (await read())[0] == "snapshot"


async def test_no_get_changes_anything(api, control):
    for path in ("/purge?all=true", "/reload", "/stats/reset", "/warm?names=plans"):
        await api.ask("GET", path)
    assert (control.purges, control.resets) == ([], 0)
