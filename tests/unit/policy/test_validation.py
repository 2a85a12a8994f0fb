"""Conditions, and what a 304 or a HEAD changes."""

from dataclasses import replace

import pytest

from proxy.message import dates
from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.selectors import Seq
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse
from proxy.policy.validation import (
    Condition,
    evaluate,
    has_validator,
    is_vouched_for,
    merged,
    not_modified,
    our_conditions,
    same_strongly,
    same_weakly,
    updated_by_head,
    validates,
)

NOW = 1_750_000_000.0
PROCEED, NOT_MODIFIED, FAILED = Condition


def at(offset):
    return dates.render(NOW + offset)


def entry(*lines, body=b"12345"):
    return StoredResponse(
        status=200,
        reason=b"OK",
        headers=Headers(lines),
        body=body,
        request_time=NOW,
        response_time=NOW,
        initial_age=0.0,
        freshness=Freshness(60.0, LifetimeSource.MAX_AGE),
        selectors=(),
        seq=Seq("e", 1),
    )


ETAG, WEAK = (b"ETag", b'"x"'), (b"ETag", b'W/"x"')
MODIFIED = (b"Last-Modified", at(-3000))


@pytest.mark.parametrize(
    ("lines", "conditions"),
    [
        pytest.param([], [], id="no validator"),
        pytest.param([ETAG], [(b"If-None-Match", b'"x"')], id="a strong tag"),
        pytest.param([WEAK], [(b"If-None-Match", b'W/"x"')], id="a weak tag"),
        pytest.param([(b"ETag", b"x")], [(b"If-None-Match", b"x")], id="a malformed tag as it came"),
        pytest.param([MODIFIED], [(b"If-Modified-Since", MODIFIED[1])], id="a date"),
        pytest.param([MODIFIED, ETAG], [(b"If-None-Match", b'"x"'), (b"If-Modified-Since", MODIFIED[1])], id="both"),
        pytest.param([(b"ETag", b"")], [], id="an empty tag"),
    ],
)
def test_our_conditions(lines, conditions):
    assert our_conditions(entry(*lines)) == conditions


@pytest.mark.parametrize(("lines", "has"), [([], False), ([ETAG], True), ([MODIFIED], True)])
def test_has_validator(lines, has):
    assert has_validator(Headers(lines)) is has


def evaluated(asked, stored, *, status=200, method=b"GET"):
    request = Request(method, b"/", Headers(asked), b"a")
    return evaluate(request, status, Headers(stored), response_time=NOW)


@pytest.mark.parametrize(
    ("asked", "stored", "condition"),
    [
        pytest.param([b'"x"'], b'"x"', NOT_MODIFIED, id="the same tag"),
        pytest.param([b'"y"'], b'"x"', PROCEED, id="another tag"),
        pytest.param([b'W/"x"'], b'W/"x"', NOT_MODIFIED, id="the same weak tag"),
        pytest.param([b'W/"x"'], b'"x"', NOT_MODIFIED, id="weak and strong"),
        pytest.param([b'"x"'], b'W/"x"', NOT_MODIFIED, id="strong and weak"),
        pytest.param([b'"x", "1", "2"'], b'"x"', NOT_MODIFIED, id="first of a list"),
        pytest.param([b'"1", "x", "2"'], b'"x"', NOT_MODIFIED, id="in a list"),
        pytest.param([b'"1","2","x"'], b'"x"', NOT_MODIFIED, id="last of a list"),
        pytest.param([b'"1"', b'"x"'], b'"x"', NOT_MODIFIED, id="on another line"),
        pytest.param([b'"1, x"'], b'"x"', PROCEED, id="part of a tag with a comma"),
        pytest.param([b'"1, x"'], b'"1, x"', NOT_MODIFIED, id="a tag with a comma"),
        pytest.param([b'"a\\", "x"'], b'"x"', NOT_MODIFIED, id="after a tag that ends in a backslash"),
        pytest.param([b'"\xfc"'], b'"\xfc"', NOT_MODIFIED, id="obs-text"),
        pytest.param([b"x"], b"x", NOT_MODIFIED, id="malformed in the same way"),
        pytest.param([b"x"], b'"x"', PROCEED, id="unquoted against quoted"),
        pytest.param([b'w/"x"'], b'w/"x"', NOT_MODIFIED, id="a lower-case weakness"),
        pytest.param([b"*"], b'"x"', NOT_MODIFIED, id="any"),
        pytest.param([b"*"], None, NOT_MODIFIED, id="any, and no tag"),
        pytest.param([b'"x"'], None, PROCEED, id="no tag"),
        pytest.param([b""], b'"x"', PROCEED, id="an empty field"),
    ],
)
def test_if_none_match(asked, stored, condition):
    lines = [] if stored is None else [(b"ETag", stored)]
    assert evaluated([(b"If-None-Match", value) for value in asked], lines) is condition


@pytest.mark.parametrize(
    ("asked", "stored", "condition"),
    [
        pytest.param([at(-3000)], [MODIFIED], NOT_MODIFIED, id="the same date"),
        pytest.param([at(-2000)], [MODIFIED], NOT_MODIFIED, id="a later date"),
        pytest.param([at(-3001)], [MODIFIED], PROCEED, id="an earlier date"),
        pytest.param([b"Sunday, 15-Jun-25 14:16:40 GMT"], [MODIFIED], NOT_MODIFIED, id="in the form of RFC 850"),
        pytest.param([at(0)], [(b"Date", at(0))], NOT_MODIFIED, id="without Last-Modified against Date"),
        pytest.param([at(-1)], [(b"Date", at(0))], PROCEED, id="before Date"),
        pytest.param([at(0)], [], NOT_MODIFIED, id="without either against the receipt"),
        pytest.param([at(-1)], [], PROCEED, id="before the receipt"),
        pytest.param([at(0)], [(b"Last-Modified", b"x"), (b"Date", at(9))], PROCEED, id="an invalid Last-Modified"),
        pytest.param([b"yesterday"], [MODIFIED], PROCEED, id="no date"),
        pytest.param([at(0), at(0)], [MODIFIED], PROCEED, id="two lines"),
        pytest.param([], [MODIFIED], PROCEED, id="no condition"),
    ],
)
def test_if_modified_since(asked, stored, condition):
    assert evaluated([(b"If-Modified-Since", value) for value in asked], stored) is condition


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        pytest.param([(b"If-None-Match", b'"x"'), (b"If-Modified-Since", at(-9999))], NOT_MODIFIED, id="it holds"),
        pytest.param([(b"If-None-Match", b'"y"'), (b"If-Modified-Since", at(0))], PROCEED, id="it does not"),
        pytest.param([(b"If-Match", b'"y"')], PROCEED, id="If-Match is the origin's"),
        pytest.param([(b"If-Unmodified-Since", at(-9999))], PROCEED, id="If-Unmodified-Since is the origin's"),
    ],
)
def test_if_none_match_comes_before_dates(asked, condition):
    assert evaluated(asked, [ETAG, MODIFIED]) is condition


@pytest.mark.parametrize(
    ("status", "method", "condition"),
    [
        pytest.param(200, b"HEAD", NOT_MODIFIED, id="HEAD"),
        pytest.param(203, b"GET", NOT_MODIFIED, id="another 2xx"),
        pytest.param(404, b"GET", PROCEED, id="not for a 404"),
        pytest.param(301, b"GET", PROCEED, id="not for a redirect"),
        pytest.param(200, b"POST", FAILED, id="a method that writes"),
    ],
)
def test_where_conditions_are_evaluated(status, method, condition):
    assert evaluated([(b"If-None-Match", b'"x"')], [ETAG], status=status, method=method) is condition


def test_a_date_is_no_condition_for_a_method_that_writes():
    assert evaluated([(b"If-Modified-Since", at(0))], [MODIFIED], method=b"POST") is PROCEED


@pytest.mark.parametrize(
    ("one", "other", "strongly", "weakly"),
    [
        (b'W/"1"', b'W/"1"', False, True),
        (b'W/"1"', b'W/"2"', False, False),
        (b'W/"1"', b'"1"', False, True),
        (b'"1"', b'"1"', True, True),
    ],
)
def test_comparisons_are_those_of_the_table_in_rfc_9110(one, other, strongly, weakly):
    assert same_strongly(one, other) is strongly
    assert same_weakly(one, other) is weakly


def test_a_304_has_no_fields_of_the_representation_but_its_validators():
    kept = [
        (b"Cache-Control", b"max-age=60"),
        (b"Content-Location", b"/a"),
        (b"Date", at(0)),
        ETAG,
        (b"Expires", at(60)),
        (b"Vary", b"a"),
        (b"X-Other", b"1"),
        (b"Content-Security-Policy", b"default-src"),
    ]
    left_out = [(b"Content-Type", b"text/plain"), (b"Content-Length", b"5"), (b"Content-Encoding", b"br"), MODIFIED]
    assert not_modified(Headers([*kept, *left_out])).lines == tuple(kept)


def test_a_304_without_a_tag_keeps_its_date():
    assert not_modified(Headers([MODIFIED])).lines == (MODIFIED,)


@pytest.mark.parametrize(
    ("stored", "came", "speaks"),
    [
        pytest.param([ETAG], [ETAG], True, id="the same tag"),
        pytest.param([ETAG], [WEAK], True, id="the same tag, weakened"),
        pytest.param([WEAK], [ETAG], True, id="the same tag, ours weakened"),
        pytest.param([ETAG], [(b"ETag", b'"y"')], False, id="another tag"),
        pytest.param([MODIFIED], [ETAG], False, id="a tag that we have not"),
        pytest.param([MODIFIED], [MODIFIED], True, id="the same date"),
        pytest.param([MODIFIED], [(b"Last-Modified", at(-1))], False, id="another date"),
        pytest.param([ETAG], [MODIFIED], True, id="a date that we have not"),
        pytest.param([ETAG, MODIFIED], [], True, id="no validator at all"),
        pytest.param([ETAG, MODIFIED], [ETAG, (b"Last-Modified", at(-1))], True, id="the same tag, another date"),
    ],
)
def test_validates(stored, came, speaks):
    assert validates(entry(*stored), Response(304, Headers(came))) is speaks


STORED = entry(
    (b"Date", at(-60)),
    (b"Cache-Control", b"max-age=1"),
    (b"Content-Length", b"5"),
    (b"Content-Encoding", b"br"),
    (b"A", b"1"),
    (b"a", b"2"),
    (b"B", b"1"),
)


@pytest.mark.parametrize(
    ("came", "name", "values"),
    [
        pytest.param([(b"Cache-Control", b"max-age=9")], b"cache-control", [b"max-age=9"], id="what came replaces"),
        pytest.param([(b"a", b"3")], b"a", [b"3"], id="all lines of a name"),
        pytest.param([(b"B", b"2"), (b"b", b"3")], b"b", [b"2", b"3"], id="with all that came"),
        pytest.param([(b"C", b"1")], b"c", [b"1"], id="a new field"),
        pytest.param([], b"a", [b"1", b"2"], id="what did not come stays"),
        pytest.param([(b"Content-Length", b"9")], b"content-length", [b"5"], id="never the length"),
        pytest.param([(b"Content-Encoding", b"gzip")], b"content-encoding", [b"br"], id="never the coding"),
        pytest.param([(b"Content-Range", b"x")], b"content-range", [], id="never a range"),
        pytest.param([(b"Keep-Alive", b"x")], b"keep-alive", [], id="nothing of the connection"),
        pytest.param([(b"Connection", b"b"), (b"B", b"2")], b"b", [b"1"], id="nothing that Connection names"),
        pytest.param([(b"Date", at(-5))], b"date", [at(-5)], id="its Date"),
        pytest.param([], b"date", [at(0)], id="the time of receipt for a Date"),
    ],
)
def test_merged(came, name, values):
    assert merged(STORED, Response(304, Headers(came)), response_time=NOW).get_all(name) == values


@pytest.mark.parametrize(
    ("stored", "came", "updates"),
    [
        pytest.param([], [(b"A", b"2")], True, id="no validator"),
        pytest.param([ETAG, MODIFIED], [ETAG, MODIFIED], True, id="the same validators"),
        pytest.param([ETAG], [(b"ETag", b'"y"')], False, id="another tag"),
        pytest.param([], [ETAG], False, id="a tag that we have not"),
        pytest.param([MODIFIED], [(b"Last-Modified", at(-1))], False, id="another date"),
        pytest.param([], [(b"Content-Length", b"5")], True, id="the body's length"),
        pytest.param([], [(b"Content-Length", b"6")], False, id="another length"),
        pytest.param([(b"Content-Length", b"9")], [(b"Content-Length", b"9")], True, id="the stored length"),
    ],
)
def test_updated_by_head(stored, came, updates):
    updated = updated_by_head(entry(*stored), Response(200, Headers(came)), response_time=NOW)
    assert (updated is not None) is updates
    if updated is not None:
        assert updated == merged(entry(*stored), Response(200, Headers(came)), response_time=NOW)


@pytest.mark.parametrize(
    ("stored", "came", "vouched"),
    [
        pytest.param([ETAG], [ETAG], True, id="the same tag"),
        pytest.param([MODIFIED], [MODIFIED], True, id="the same date"),
        pytest.param([ETAG, MODIFIED], [MODIFIED], True, id="one of two"),
        pytest.param([ETAG], [], False, id="no word of the tag"),
        pytest.param([], [(b"Content-Length", b"5")], False, id="nothing but the length"),
        pytest.param([], [], False, id="nothing at all"),
    ],
)
def test_what_a_head_vouches_for(stored, came, vouched):
    assert is_vouched_for(entry(*stored), Response(200, Headers(came))) is vouched


def test_a_304_can_be_merged_again():
    response = Response(304, Headers([(b"A", b"9"), (b"Date", at(1))]))
    once = merged(STORED, response, response_time=NOW)
    assert merged(replace(STORED, headers=once), response, response_time=NOW) == once
