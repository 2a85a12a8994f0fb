import orjson
import pytest
from aiohttp import web

from proxy.admin.problems import Problem, _of_framework


def test_a_problem_document_has_the_members_of_the_rfc_and_its_own():
    answer = Problem(422, "ttl: expected a duration", headers={"Retry-After": "1"}, mistakes=[1]).response()
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert orjson.loads(answer.body) == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "ttl: expected a duration",
        "mistakes": [1],
    }


@pytest.mark.parametrize(
    ("refusal", "status", "detail"),
    [
        (web.HTTPNotFound(text="/secret/path"), 404, "there is no such resource here"),
        (web.HTTPMethodNotAllowed("PUT", {"POST", "GET"}), 405, "this resource takes GET, POST"),
        (
            web.HTTPRequestEntityTooLarge(1 << 20, 1 << 21),
            413,
            "the body is larger than 1 MiB; send the purge in parts",
        ),
        (web.HTTPBadRequest(text="their words"), 400, "Bad Request"),
    ],
    ids=["404", "405", "413", "any other"],
)
def test_what_the_framework_refuses_becomes_a_problem_in_our_words(refusal, status, detail):
    problem = _of_framework(refusal)
    assert (problem.status, problem.detail) == (status, detail)
