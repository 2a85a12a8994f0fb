import pytest

from proxy.observe.options import CloudWatchOptions
from proxy.settings import Mistakes, load_settings

BASE = 'version: 1\nservice: shop\nupstream: {url: "http://127.0.0.1:8000"}\n'


def read(more):
    return load_settings(f"{BASE}{more}\n").cloudwatch


def test_left_out_nothing_goes_there():
    assert read("") is None


def test_the_defaults():
    assert read("cloudwatch: {}") == CloudWatchOptions("emf", "TreeBeard/Cache", None, 60.0, (("Service", "shop"),))


def test_everything_said():
    said = 'cloudwatch: {mode: put, namespace: Shop/Edge, region: eu-central-1, interval: 10s, dimensions: [A=b, "C=d e=f"]}'
    assert read(said) == CloudWatchOptions("put", "Shop/Edge", "eu-central-1", 10.0, (("A", "b"), ("C", "d e=f")))


def test_no_dimension_at_all():
    assert read("cloudwatch: {dimensions: []}").dimensions == ()


@pytest.mark.parametrize(
    ("said", "path", "words"),
    [
        pytest.param("{mode: push}", "cloudwatch.mode", "expected put or emf", id="no mode"),
        pytest.param("{namespace: AWS/EC2}", "cloudwatch.namespace", "not one of AWS/", id="theirs"),
        pytest.param('{namespace: ":x"}', "cloudwatch.namespace", "expected a namespace", id="begins with a colon"),
        pytest.param('{namespace: "a b"}', "cloudwatch.namespace", "expected a namespace", id="a space"),
        pytest.param("{interval: 500ms}", "cloudwatch.interval", 'from "1s" up', id="too often"),
        pytest.param("{dimensions: [Service]}", "cloudwatch.dimensions[0]", 'like "Service=api"', id="no value"),
        pytest.param('{dimensions: ["=x"]}', "cloudwatch.dimensions[0]", 'like "Service=api"', id="no name"),
        pytest.param(
            '{dimensions: [":a=x"]}', "cloudwatch.dimensions[0]", 'like "Service=api"', id="begins with a colon, too"
        ),
        pytest.param("{dimensions: [A=\u00e9]}", "cloudwatch.dimensions[0]", 'like "Service=api"', id="not ASCII"),
        pytest.param("{dimensions: [A=b, A=c]}", "cloudwatch.dimensions", "given twice", id="twice"),
        pytest.param(
            f"{{dimensions: [{', '.join(f'D{n}=v' for n in range(31))}]}}",
            "cloudwatch.dimensions",
            "at most 30",
            id="31",
        ),
        pytest.param("{nmespace: x}", "cloudwatch.nmespace", "namespace", id="unknown key"),
    ],
)
def test_mistakes(said, path, words):
    with pytest.raises(Mistakes) as refused:
        read(f"cloudwatch: {said}")
    (mistake,) = refused.value.mistakes
    assert mistake.path == path
    assert words in mistake.message
