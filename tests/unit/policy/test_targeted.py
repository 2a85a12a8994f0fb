"""Which field is the policy."""

import pytest

from proxy.message.headers import Headers
from proxy.policy.targeted import governing

CC = (b"Cache-Control", b"no-store")


@pytest.mark.parametrize(
    ("lines", "names", "targeted"),
    [
        pytest.param([], [], False, id="no field at all"),
        pytest.param([CC], [b"no-store"], False, id="Cache-Control alone"),
        pytest.param([CC, (b"Cache-Control", b"public")], [b"no-store", b"public"], False, id="on two lines"),
        pytest.param([CC, (b"CDN-Cache-Control", b"max-age=9")], [b"max-age"], True, id="CDN-Cache-Control"),
        pytest.param([CC, (b"CDN-Cache-Control", b"foo")], [b"foo"], True, id="CDN-Cache-Control of unknown words"),
        pytest.param([CC, (b"CDN-Cache-Control", b"")], [b"no-store"], False, id="an empty CDN-Cache-Control"),
        pytest.param([CC, (b"CDN-Cache-Control", b"max-age=9, &&")], [b"no-store"], False, id="a broken one"),
        pytest.param([CC, (b"CDN-Cache-Control", b'max-age="9"')], [b"no-store"], False, id="one of a wrong type"),
        pytest.param([CC, (b"Surrogate-Control", b"MaX-aGe=9")], [b"max-age"], True, id="Surrogate-Control"),
        pytest.param(
            [CC, (b"Surrogate-Control", b"max-age=9;sidecar-1")],
            [b"max-age", b"sidecar-1"],
            True,
            id="Surrogate-Control with a target",
        ),
        pytest.param(
            [CC, (b"Surrogate-Control", b'content="ESI/1.0"')],
            [b"no-store"],
            False,
            id="Surrogate-Control that says nothing of caching",
        ),
        pytest.param(
            [(b"CDN-Cache-Control", b"max-age=9"), (b"Surrogate-Control", b"no-store")],
            [b"no-store"],
            True,
            id="Surrogate-Control before CDN-Cache-Control",
        ),
    ],
)
def test_the_first_valid_field_is_the_whole_policy(lines, names, targeted):
    policy = governing(Headers(lines))
    assert [name for name, _ in policy.directives.directives] == names
    assert policy.targeted is targeted
