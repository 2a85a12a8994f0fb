from proxy.backplane.scripts import Script


def test_a_script_is_named_by_the_digest_that_the_server_gives_it(valkey):
    script = Script(b"return 1")

    assert valkey.command("SCRIPT", "LOAD", script.source) == script.digest
