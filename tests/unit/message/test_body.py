"""A body that is still on its way: the protocol names what the pipeline may call, no more."""

from proxy.message.body import Body, Tunnel


def test_what_a_body_offers():
    assert {name for name in vars(Body) if not name.startswith("_")} == {"length", "trailers", "read", "aclose"}


def test_what_a_tunnel_offers():
    assert {name for name in vars(Tunnel) if not name.startswith("_")} == {"read", "write", "write_eof", "aclose"}
