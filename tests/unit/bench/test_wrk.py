"""What wrk is told, and what is understood of its answer."""

import pytest

from bench.peers.wrk import FIELDS, Ask, Said, script_for, understood


def test_every_request_has_nine_fields_of_which_one_is_its_own():
    script = script_for(Ask('"/x/" .. turn', "/x/1"), "salt")
    (line,) = (line for line in script.splitlines() if line.startswith("local rest"))
    assert line.count(": ") == len(FIELDS) + 2  # Host, and the id that turn ends
    assert line.endswith('X-Request-ID: salt-"')
    assert len(FIELDS) == 8


def test_a_quote_in_a_field_does_not_end_the_string():
    script = script_for(Ask('"/x"', "/x", fields=(("If-None-Match", '"tag"'),)), "salt")
    assert r"If-None-Match: \"tag\"\r\n" in script


def test_salt_and_seed_are_of_the_run():
    ask = Ask('"/SALT-" .. turn', "/x", prelude="math.randomseed(SEED)")
    one, other = script_for(ask, "one"), script_for(ask, "other")
    assert '"/one-" .. turn' in one
    assert {line for line in one.splitlines() if "randomseed" in line} != {
        line for line in other.splitlines() if "randomseed" in line
    }


def test_the_result_line_is_understood():
    output = "Running 2s test\n  1 threads\nRESULT requests=1000 micros=2000000 failed=3 p50=1500 p99=20500\nbye\n"
    assert understood(output) == Said(requests=1000, failed=3, seconds=2.0, p50=1.5, p99=20.5)


def test_no_result_is_an_error_with_wrks_own_words():
    with pytest.raises(ValueError, match="unable to connect"):
        understood("unable to connect to 127.0.0.1:1 Connection refused")
