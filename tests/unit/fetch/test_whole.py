from proxy.fetch.whole import Content, Whole
from proxy.message.headers import EMPTY, Headers


async def test_what_has_arrived_is_read_once_with_its_trailers():
    body = Whole(b"all", Headers([(b"X-Sum", b"7")]))
    assert (body.length, await body.read(), await body.read()) == (3, b"all", b"")
    assert body.trailers.get(b"x-sum") == b"7"
    given_up = Whole(b"all", Headers())
    await given_up.aclose()
    assert await given_up.read() == b""


async def test_of_itself_it_has_no_trailers_and_nothing_behind_it():
    body = Whole(b"")
    assert (body.length, body.trailers, body.overrun) == (0, EMPTY, False)
    assert await body.read() == b""


async def test_content_that_was_here_from_the_start_is_read_by_any_number():
    content = Content(b"whole")
    assert (content.length, content.body(), content.is_whole, await content.collected()) == (5, b"whole", True, True)
    for _ in range(2):
        assert await content.reader().read() == b"whole"
