"""The chart: whatever it makes is what Kubernetes takes, and what it must not make it refuses in one line."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from backends import Backend
from sidecar import Sidecar

from proxy.settings.check import check_text

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "sapwood"
OLDEST, PLAIN, NEWEST = "1.26", "1.28", "1.37"
RULES = (ROOT / "config" / "minimal.yaml").read_text()
MINIMAL = {"config": yaml.safe_load(RULES), "replicas": 1}
SHARED = {"upstream": {"url": "http://backend:80"}, "store": {"url": "redis://redis:6379/0"}}
PEER = {"podSelector": {"matchLabels": {"app": "cms"}}}
OPEN = {"listen": "pod", "purgers": [PEER], "tokenSecret": {"name": "sapwood-token"}}

MATRIX = {
    "one pod in memory": MINIMAL,
    "no configuration at all": SHARED,
    "a configuration as text": {**SHARED, "configFile": RULES},
    "TreeBeard's as text": {**SHARED, "configFile": (ROOT / "config" / "treebeard.yaml").read_text()},
    "a ConfigMap of one's own": {**SHARED, "existingConfigMap": "rules"},
    "a purger outside": {**SHARED, "admin": OPEN, "networkPolicy": {"enabled": True}},
    "an admin socket": {**SHARED, "admin": {"listen": "socket"}},
    "a token on loopback": {**SHARED, "admin": {"tokenSecret": {"name": "t", "key": "admin-token"}}},
    "secrets by file": {**SHARED, "store": {"url": "rediss://app@redis", "secret": {"name": "s", "passwordKey": "p"}}},
    "the store's URL by file": {"upstream": SHARED["upstream"], "store": {"secret": {"name": "s", "urlKey": "url"}}},
    "autoscaling": {**SHARED, "autoscaling": {"enabled": True}},
    "every policy": {
        **SHARED,
        "networkPolicy": {"enabled": True, "clients": [PEER], "scrapers": [{"namespaceSelector": {}}]},
        "podDisruptionBudget": {"maxUnavailable": "25%"},
        "topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        "affinity": {"nodeAffinity": {}},
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"disk": "ssd"},
        "priorityClassName": "high",
    },
    "all monitoring": {
        **SHARED,
        "monitor": {"kind": "ServiceMonitor", "labels": {"release": "p"}},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "a PodMonitor": {**SHARED, "monitor": {"kind": "PodMonitor", "interval": "15s"}},
    "names and labels": {
        **SHARED,
        "fullnameOverride": "front",
        "commonLabels": {"team": "web"},
        "podLabels": {"tier": "edge"},
        "podAnnotations": {"a": "b"},
        "serviceAccount": {"annotations": {"a": "b"}},
        "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"a": "b"}},
        "imagePullSecrets": [{"name": "registry"}],
        "image": {"digest": "sha256:" + "0" * 64},
    },
    "no watching, no checks": {**MINIMAL, "watch": False, "check": {"init": False, "hook": False}},
    "further environment and volumes": {
        **SHARED,
        "extraEnv": [{"name": "REGION", "value": "eu"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
        "bind": "[::]",
        "drain": {"endpointsSeconds": 0},
        "serviceAccount": {"create": False},
    },
    "a sidecar's share": {
        **SHARED,
        "mode": "sidecar",
        "config": MINIMAL["config"],
        "sidecar": {"podSelector": {"app": "shop"}},
        "monitor": {"kind": "PodMonitor"},
        "networkPolicy": {"enabled": True},
        "admin": OPEN,
        "test": {"url": "http://shop/"},
    },
}


@pytest.fixture(scope="session")
def rendered(helm, tmp_path_factory):
    """Render a chart under one major with these values; return its objects, those with CRDs of others apart."""

    def render(major, values, version=NEWEST, chart=CHART, more=()):
        file = tmp_path_factory.mktemp("values") / "values.yaml"
        file.write_text(json.dumps(values))
        said = helm(major, "template", "shop", chart, "--values", file, "--kube-version", version, *more)
        assert said.returncode == 0, said.stderr
        return [one for one in yaml.load_all(said.stdout, yaml.CSafeLoader) if one]

    return render


@pytest.mark.parametrize("name", MATRIX)
def test_it_lints_and_its_objects_are_what_kubernetes_takes(helm, rendered, major, name, tmp_path):
    (tmp_path / "values.yaml").write_text(json.dumps(MATRIX[name]))
    linted = helm(major, "lint", "--strict", CHART, "--values", tmp_path / "values.yaml")
    assert linted.returncode == 0, linted.stdout + linted.stderr
    for version in (OLDEST, NEWEST):
        for one in rendered(major, MATRIX[name], version):
            if not one["apiVersion"].startswith("monitoring.coreos.com/"):
                kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, PLAIN, "1.29", NEWEST])
def test_a_backends_chart_takes_it_into_its_pod(example, rendered, major, version):
    objects = rendered(major, {}, f"{version}.0", example)
    for one in objects:
        kubernetes_validate.validate(one, version, strict=True)
    spec = pod(objects)
    native = version in {"1.29", NEWEST}
    assert [one["name"] for one in spec["initContainers"]] == ["sapwood-check", *(["sapwood"] if native else [])]
    assert [one["name"] for one in spec["containers"]] == [*([] if native else ["sapwood"]), "backend"]
    sidecar = container(spec)
    assert sidecar.get("restartPolicy") == ("Always" if native else None)
    assert ("lifecycle" in sidecar) is not native, "a hook would end a native sidecar before the app"


def test_the_package_has_what_it_needs_and_nothing_else(helm, major, tmp_path):
    packed = helm(major, "package", CHART, "--destination", tmp_path)
    assert packed.returncode == 0, packed.stderr
    listed = subprocess.run(["tar", "tzf", *tmp_path.glob("*.tgz")], capture_output=True, text=True, check=True).stdout
    names = {line.removeprefix("sapwood/") for line in listed.split()}
    assert {"values.schema.json", "README.md", "files/sapwood.rules.yaml", "templates/NOTES.txt"} <= names
    assert not any(name.startswith("ci/") or name.endswith(".tgz") for name in names)


def pod(objects):
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]


def container(spec):
    (sidecar,) = [one for one in [*spec.get("initContainers", ()), *spec["containers"]] if one["name"] == "sapwood"]
    return sidecar


def environment(spec):
    return {one["name"]: one.get("value") for one in container(spec)["env"]}


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def every_pod(objects):
    for one in objects:
        spec = one.get("spec", {})
        if one["kind"] == "Pod":
            yield spec
        elif "template" in spec:
            yield spec["template"]["spec"]


@pytest.mark.parametrize("name", MATRIX)
def test_every_pod_is_restricted_and_has_no_token(rendered, name):
    """The `restricted` Pod Security Standard, which kubernetes-validate knows nothing of."""
    for spec in every_pod(rendered(4, MATRIX[name])):
        assert spec["automountServiceAccountToken"] is False
        for one in [*spec.get("initContainers", ()), *spec["containers"]]:
            said = one["securityContext"]
            assert said["runAsNonRoot"] is True
            assert said["runAsUser"] > 0
            assert said["allowPrivilegeEscalation"] is False
            assert said["readOnlyRootFilesystem"] is True
            assert said["capabilities"] == {"drop": ["ALL"]}
            assert said["seccompProfile"] == {"type": "RuntimeDefault"}
            assert one["resources"]["requests"]
            assert one["resources"]["limits"]["memory"]


def test_kubelet_and_prometheus_ask_the_probes_port_and_nobody_the_admin_port(rendered):
    objects = rendered(4, {**SHARED, "networkPolicy": {"enabled": True}})
    spec = pod(objects)
    sidecar = container(spec)
    ports = {one["name"]: one["containerPort"] for one in sidecar["ports"]}
    assert ports == {"sapwood": 8080, "sapwood-probes": 9092}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert sidecar[probe]["httpGet"]["port"] == "sapwood-probes"
    assert environment(spec)["SAPWOOD_ADMIN__LISTEN"] == "127.0.0.1:9091"
    (policy,) = of_kind(objects, "NetworkPolicy")
    assert [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]] == [8080, 9092]
    assert [one["metadata"]["name"] for one in of_kind(objects, "Service")] == ["shop-sapwood"]


def test_a_named_purger_reaches_the_admin_port_with_a_token(rendered):
    objects = rendered(4, MATRIX["a purger outside"])
    said = environment(pod(objects))
    assert said["SAPWOOD_ADMIN__LISTEN"] == "0.0.0.0:9091"
    assert said["SAPWOOD_ADMIN__TOKEN_FILE"] == "/var/run/secrets/sapwood/admin/token"
    assert "shop-sapwood-admin" in said["SAPWOOD_ADMIN__HOSTS"].split(",")
    (policy,) = of_kind(objects, "NetworkPolicy")
    assert policy["spec"]["ingress"][2] == {"ports": [{"port": 9091, "protocol": "TCP"}], "from": [PEER]}
    assert "shop-sapwood-admin" in [one["metadata"]["name"] for one in of_kind(objects, "Service")]


@pytest.mark.parametrize(
    ("changed", "restarts"),
    [
        pytest.param({"routes": []}, False, id="rules are reloaded"),
        pytest.param({"log": {"level": "debug"}}, False, id="so is the log"),
        pytest.param({"tests": []}, False, id="tests are for check"),
        pytest.param({"limits": {"tags": 9}}, True, id="a bound"),
        pytest.param({"service": "other"}, True, id="the name in every key"),
    ],
)
@pytest.mark.parametrize("text", [False, True], ids=["mapping", "text"])
def test_with_watching_only_what_a_reload_cannot_take_is_another_pod(rendered, changed, restarts, text):
    def checksum(config, *, watch):
        said = {"configFile": json.dumps(config)} if text else {"config": config}
        return environment(pod(rendered(4, {**said, "replicas": 1, "watch": watch})))["CONFIG_CHECKSUM"]

    before, after = MINIMAL["config"], {**MINIMAL["config"], **changed}
    assert (checksum(before, watch=True) != checksum(after, watch=True)) is restarts
    assert checksum(before, watch=False) != checksum(after, watch=False)


def test_a_checksum_says_something_where_all_that_is_said_are_rules(rendered):
    only_rules = {"configFile": json.dumps({"routes": MINIMAL["config"]["routes"]}), **SHARED}
    others = {"configFile": json.dumps({"routes": []}), **SHARED}
    first, second = (environment(pod(rendered(4, one)))["CONFIG_CHECKSUM"] for one in (only_rules, others))
    assert first == second


@pytest.mark.parametrize("name", MATRIX)
def test_the_configuration_in_a_config_map_passes_its_check(rendered, name):
    """Values become YAML, are read as YAML 1.1 by Helm, written again, and read as 1.2 here."""
    objects = rendered(3, MATRIX[name])
    for job in of_kind(objects, "Job"):
        (ran,) = job["spec"]["template"]["spec"]["containers"]
        (mounted,) = job["spec"]["template"]["spec"]["volumes"]
        (text,) = [
            one["data"]["sapwood.yaml"]
            for one in of_kind(objects, "ConfigMap")
            if one["metadata"]["name"] == mounted["configMap"]["name"]
        ]
        report = check_text(text, "sapwood.yaml", {one["name"]: one["value"] for one in ran["env"]})
        assert report.ok, report.as_text()
        assert report.verdicts
        # The Secrets are where the sidecar runs, not here.
        assert {one.path for one in report.warnings} <= {"admin.token_file", "store.password_file", "store.url_file"}


def test_what_is_checked_before_anything_changes_is_what_will_be_mounted(rendered):
    objects = rendered(4, MINIMAL)
    mounted, checked = sorted(of_kind(objects, "ConfigMap"), key=lambda one: len(one["metadata"]["name"]))
    assert checked["data"] == mounted["data"]
    (job,) = of_kind(objects, "Job")
    for one in (job, checked):
        assert one["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade,pre-rollback"
    (ran,) = job["spec"]["template"]["spec"]["containers"]
    assert ran["args"] == ["check", "/etc/sapwood/sapwood.yaml"]
    (init,) = pod(objects)["initContainers"]
    assert init["args"] == ran["args"]
    assert pod(objects)["containers"][0]["args"] == ["serve", "--watch"]


def test_the_grace_period_covers_a_drain(rendered):
    spec = pod(
        rendered(
            4, {**SHARED, "drain": {"timeoutSeconds": 60, "endpointsSeconds": 7}, "terminationGracePeriodSeconds": 73}
        )
    )
    assert environment(spec)["SAPWOOD_DRAIN_TIMEOUT"] == "60s"
    assert container(spec)["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert spec["terminationGracePeriodSeconds"] == 73


async def test_what_helm_test_runs_tells_a_sidecar_from_others(rendered):
    """The script of the test's pod, run here: before a sidecar whose backend is away, and before a server that is none."""
    (asking,) = of_kind(rendered(4, {**SHARED, "test": {"url": "http://127.0.0.1:1/"}}), "Pod")
    (ran,) = asking["spec"]["containers"]
    _, flag, script, url = ran["command"]
    assert (flag, url) == ("-c", "http://127.0.0.1:1/")

    async def says(port):
        command = (sys.executable, "-c", script, f"http://127.0.0.1:{port}/")
        started = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        said, _ = await started.communicate()
        return started.returncode, said.decode().split(";")[0].strip()

    async def nobody(_):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    sidecar = Sidecar(None, upstream="http://127.0.0.1:9")
    async with Backend(nobody) as backend:
        await asyncio.to_thread(sidecar.__enter__)
        try:
            assert await says(sidecar.port) == (0, "502 sapwood")
            assert await says(backend.port) == (1, "200")
        finally:
            await asyncio.to_thread(sidecar.__exit__)


@pytest.mark.parametrize("name", ["no configuration at all", "a purger outside", "a sidecar's share"])
def test_the_notes_say_what_to_do_next(helm, tmp_path, name):
    (tmp_path / "values.yaml").write_text(json.dumps(MATRIX[name]))
    flags = ("--dry-run=client", "--values", tmp_path / "values.yaml")
    said = helm(4, "install", "shop", CHART, *flags)  # Helm 3 would ask a cluster
    assert said.returncode == 0, said.stderr
    notes = said.stdout.partition("NOTES:")[2]
    expected = {
        "no configuration at all": "exec deploy/shop-sapwood -- sapwood purge --all",
        "a purger outside": "http://shop-sapwood-admin:9091, with the token",
        "a sidecar's share": 'initContainers: {{- include "sapwood.initContainers" .Subcharts.sapwood | nindent 8 }}',
    }
    assert expected[name] in notes


REFUSED = {
    "an unknown value": ({**SHARED, "replica": 2}, "replica"),
    "an unknown value further down": ({**SHARED, "admin": {"tokn": "x"}}, "tokn"),
    "an unknown section of the configuration": ({**SHARED, "config": {"rutes": []}}, "rutes"),
    "an unknown mode": ({**SHARED, "mode": "daemonset"}, "mode"),
    "a URL that is none": ({**SHARED, "upstream": {"url": "backend:80"}}, "upstream"),
    "a port that is none": ({**SHARED, "ports": {"traffic": 80800}}, "traffic"),
    "an admin port for anybody": (
        {**SHARED, "admin": {"listen": "pod", "purgers": [PEER]}},
        "sapwood: admin.tokenSecret.name: an admin port that other pods can reach needs a token",
    ),
    "an admin port for nobody": (
        {**SHARED, "admin": {**OPEN, "purgers": []}, "networkPolicy": {"enabled": True}},
        "sapwood: admin.purgers: name who may purge; with networkPolicy and without purgers nobody reaches the admin port",
    ),
    "purgers that reach nothing": (
        {**SHARED, "admin": {"purgers": [PEER]}},
        "sapwood: admin.purgers: nobody outside the pod reaches the admin port with admin.listen: loopback; say pod",
    ),
    "two processes on memory": (
        {**MINIMAL, "config": {**MINIMAL["config"], "workers": 2}},
        "sapwood: config.workers: 2 processes on memory:// would each keep their own answers and purges; name a store.url they share",
    ),
    "two processes on memory, in text": (
        {"replicas": 1, "configFile": "workers: 2\n" + RULES},
        "sapwood: config.workers: 2 processes on memory:// would each keep their own answers and purges; name a store.url they share",
    ),
    "two pods on memory": (
        {**MINIMAL, "replicas": 2},
        "sapwood: replicas: 2 pods on memory:// would each keep their own answers and purges; name a store.url they share, or one replica",
    ),
    "no backend": ({"replicas": 1}, "sapwood: upstream.url: name the backend, here or in the configuration"),
    "two configurations": (
        {**MINIMAL, "existingConfigMap": "x"},
        "sapwood: config, configFile, existingConfigMap: give one of them",
    ),
    "too little grace": (
        {**SHARED, "terminationGracePeriodSeconds": 35},
        "sapwood: terminationGracePeriodSeconds: 35 is too short to drain: say more than 35 (drain.timeoutSeconds, drain.endpointsSeconds and 5)",
    ),
    "a secret without a key": (
        {**SHARED, "store": {"url": "redis://r", "secret": {"name": "s"}}},
        "sapwood: store.secret: name its passwordKey or urlKey",
    ),
    "a key without a secret": (
        {**SHARED, "store": {"url": "redis://r", "secret": {"passwordKey": "p"}}},
        "sapwood: store.secret.name: name the Secret",
    ),
    "two URLs of the store": (
        {**SHARED, "store": {"url": "redis://r", "secret": {"name": "s", "urlKey": "u"}}},
        "sapwood: store.url, store.secret.urlKey: give one of them",
    ),
    "one port twice": (
        {**SHARED, "ports": {"admin": 8080}},
        "sapwood: ports: traffic, admin and probes need ports of their own",
    ),
    "fewer at most than at least": (
        {**SHARED, "autoscaling": {"enabled": True, "maxReplicas": 1}},
        "sapwood: autoscaling.minReplicas: more than maxReplicas",
    ),
    "a sidecar's Service": (
        {**SHARED, "mode": "sidecar", "monitor": {"kind": "ServiceMonitor"}},
        "sapwood: monitor.kind: a sidecar's Service is the backend's own; say PodMonitor",
    ),
    "a sidecar's pods without a name": (
        {**SHARED, "mode": "sidecar", "monitor": {"kind": "PodMonitor"}},
        "sapwood: sidecar.podSelector: name the labels of the backend's pods, for networkPolicy and monitor",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_value_is_refused_in_one_line(helm, major, tmp_path, name):
    values, line = REFUSED[name]
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    said = helm(major, "template", "shop", CHART, "--values", tmp_path / "values.yaml")
    assert said.returncode != 0
    named = [one for one in said.stderr.splitlines() if line in one]
    assert len(named) == 1, said.stderr
    if line.startswith("sapwood: "):
        assert named[0].endswith(line)


def test_a_native_sidecar_on_a_cluster_without_them_is_refused(helm, major):
    flags = ("--set", "upstream.url=http://b,store.url=redis://r,sidecar.native=always", "--kube-version", "1.28.0")
    said = helm(major, "template", "shop", CHART, *flags)
    assert "sapwood: sidecar.native: Kubernetes v1.28.0 has no native sidecars; say auto" in said.stderr


def test_everything_of_the_values_is_in_the_schema_and_described():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(said, known, path):
        assert known["additionalProperties"] is False, path
        assert set(said) == set(known["properties"]) - {"global", "enabled"} | (set(said) & {"enabled"}), path
        for name, value in said.items():
            if isinstance(value, dict) and value and "properties" in known["properties"][name] and name != "resources":
                compare(value, known["properties"][name], f"{path}.{name}")

    compare(values, schema, "values")


def test_every_section_of_the_configuration_may_be_said():
    schema = json.loads((CHART / "values.schema.json").read_text())
    reference = (ROOT / "docs" / "configuration.md").read_text()
    table = reference.partition("## Top level\n")[2].partition("\n## ")[0]
    sections = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert set(schema["properties"]["config"]["properties"]) == sections


def test_every_version_is_the_projects():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart, example = (
        yaml.safe_load((ROOT / "helm" / name / "Chart.yaml").read_text()) for name in ("sapwood", "example")
    )
    (dependency,) = example["dependencies"]
    assert {chart["version"], chart["appVersion"], dependency["version"]} == {version}
    assert yaml.safe_load((ROOT / "helm" / "example" / "values.yaml").read_text())["image"] == f"sapwood:{version}"


def test_what_is_made_from_something_else_is_in_step():
    said = subprocess.run(
        [sys.executable, ROOT / "helm" / "step.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, ""), "run: make chart"


def test_every_value_has_a_line_in_the_readme():
    readme = (CHART / "README.md").read_text()
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def leaves(said, path=()):
        for name, value in said.items():
            inner = (
                isinstance(value, dict) and value and ".".join((*path, name)) not in {"resources", "dashboard.labels"}
            )
            if inner:
                yield from leaves(value, (*path, name))
            else:
                yield ".".join((*path, name))

    assert [path for path in leaves(values) if f"| `{path}` |" not in readme] == []
