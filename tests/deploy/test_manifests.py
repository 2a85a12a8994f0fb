"""The plain manifests, the overlay over them, and the compose file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from proxy.settings.check import check_text

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
OLDEST, NEWEST = "1.30", "1.37"  # of the manifests: native sidecars, and a hook that sleeps


def tool(name, *arguments):
    said = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.returncode, said.stdout + said.stderr


@pytest.fixture(scope="session")
def built(tools):
    """What Kustomize makes of a folder."""

    def build(folder):
        command = [tools / "kubectl", "kustomize", KUBERNETES / folder]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return list(yaml.safe_load_all(said.stdout))

    return build


def named(objects, kind, name):
    (found,) = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("folder", ["base", "overlays/production"])
def test_kubernetes_takes_what_kustomize_makes(built, folder, version):
    for one in built(folder):
        kubernetes_validate.validate(one, version, strict=True)


def test_the_plain_files_are_the_base(built):
    plain = [
        one
        for name in ("sapwood", "redis", "backend")
        for one in yaml.safe_load_all((KUBERNETES / "base" / f"{name}.yaml").read_text())
    ]

    def key(one):
        return one["kind"], one["metadata"]["name"]

    assert sorted(plain, key=key) == sorted(built("base"), key=key)


def test_the_overlay_changes_what_it_says(built):
    objects = built("overlays/production")
    shop = named(objects, "Deployment", "shop")
    assert shop["spec"]["replicas"] == 4
    spec = shop["spec"]["template"]["spec"]
    assert spec["topologySpreadConstraints"]
    images = {one["image"] for one in [*spec["initContainers"], *spec["containers"]]}
    assert images == {"registry.example/sapwood:0.1.0"}
    assert {one["metadata"]["namespace"] for one in objects} == {"shop"}


def test_the_sidecar_starts_before_the_backend_and_outlives_it(built):
    spec = named(built("base"), "Deployment", "shop")["spec"]["template"]["spec"]
    check, sidecar = spec["initContainers"]
    (backend,) = spec["containers"]
    assert check["args"][0] == "check"
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert "lifecycle" not in sidecar
    hook = backend["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > 25 + hook + 5, "drain_timeout, the hook, tasks beside requests"
    for one in (check, sidecar, backend):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def rules():
    manifest = yaml.safe_load((KUBERNETES / "base" / "sapwood.yaml").read_text())
    yield pytest.param(manifest["data"]["sapwood.yaml"], id="in the ConfigMap")
    yield pytest.param((DEPLOY / "compose" / "sapwood.yaml").read_text(), id="beside the compose file")


@pytest.mark.parametrize("text", list(rules()))
def test_the_rules_pass_their_own_check(text):
    report = check_text(text, "sapwood.yaml", {})
    assert report.ok, report.as_text()
    assert report.verdicts


def test_the_compose_file_is_one():
    arguments = ("--builtin-schema", "vendor.compose-spec", DEPLOY / "compose" / "compose.yaml")
    code, said = tool("check-jsonschema", *arguments)
    assert code == 0, said


def test_the_composed_sidecar_has_the_rights_of_one_in_a_pod():
    services = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert int(services["sapwood"]["stop_grace_period"].removesuffix("s")) > 25 + 5


def test_yamllint_finds_nothing():
    code, said = tool("yamllint", "--strict", "-c", ".yamllint.yaml", "deploy", "helm")
    assert code == 0, said


def test_shellcheck_finds_nothing():
    scripts = [ROOT / "bench" / "tools.sh", ROOT / ".ci" / "run"]
    code, said = tool("shellcheck", *scripts)
    assert code == 0, said
