from proxy.demo.sidecars import rules
from proxy.settings import load_settings


def test_the_demos_rules_are_found_and_right():
    path = rules()
    assert load_settings(path.read_text(), source=str(path)).service == "treebeard-api"
