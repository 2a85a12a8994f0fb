"""What stands behind the servers that are compared."""

import pytest

from bench.peers.behind import CHANGED, ETAG, SIZES, body_of, counted

PAGE = "Active connections: 3 \nserver accepts handled requests\n 17 17 4242 \nReading: 0 Writing: 1 Waiting: 2 \n"


def test_the_backends_requests_are_read_from_its_page():
    assert counted(PAGE) == 4242


def test_a_page_without_them_is_an_error():
    with pytest.raises(ValueError, match="no count"):
        counted("<html>404</html>")


@pytest.mark.parametrize("size", SIZES.values())
def test_bodies_are_of_their_size(size):
    assert len(body_of(size)) == size


def test_the_entity_tag_is_as_nginx_makes_it():
    assert f'"{CHANGED:x}-{SIZES["2k"]:x}"' == ETAG
