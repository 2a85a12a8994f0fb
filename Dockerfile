# Sapwood as an image: no shell, no package manager and no right is needed to run it.
#
#   docker build -t sapwood .
#   docker run --read-only --cap-drop all -p 8080:8080 sapwood serve --upstream http://backend:8000
#
# Nothing here depends on the machine: requirements.lock has the wheels of x86-64 and arm64.
ARG BASE_IMAGE=python:3.14-slim-trixie

FROM ${BASE_IMAGE} AS build
# Where the package index cannot be reached: a directory of wheels, mounted here (deploy/image/try.py does so).
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
ARG PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# The environment that is shipped has no pip: that of the building one fills it.
RUN python3 -m venv /build \
    && python3 -m venv --without-pip /opt/sapwood \
    && /build/bin/python3 -m pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-build.lock \
    && /build/bin/python3 -m pip --python /opt/sapwood/bin/python3 install --no-cache-dir --no-compile \
        --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY proxy proxy
# zstandard's second backend is for PyPy, 12 MB of it. Bytecode is not compared with its source, which nobody can change
# in a running container.
RUN /build/bin/python3 -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
    && /build/bin/python3 -m pip --python /opt/sapwood/bin/python3 install --no-cache-dir --no-compile --no-deps dist/*.whl \
    && rm /opt/sapwood/lib/python3*/site-packages/zstandard/_cffi*.so \
    && /opt/sapwood/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/sapwood/lib

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sapwood" \
      org.opencontainers.image.description="A caching sidecar for HTTP APIs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/sapwood /opt/sapwood
# The slim images come without the standard library's bytecode: what a start imports is compiled here, once. Named is
# what is imported late; importlib, which imports parts of itself as it needs them, is compiled as a whole.
RUN /opt/sapwood/bin/python3 -c "import compileall, importlib; compileall.compile_dir(importlib.__path__[0], quiet=1); \
import encodings.idna, proxy.admin.server, proxy.backplane.client, proxy.cli.offline, proxy.cli.remote, \
proxy.cli.serving, proxy.observe.logger, proxy.observe.metrics, proxy.service.crew, proxy.service.worker, \
proxy.store.redis"
ENV PATH=/opt/sapwood/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
# Of nobody in particular, and a number: runAsNonRoot cannot judge a name.
USER 65532:65532
WORKDIR /
# Traffic, admin, probes. The admin port listens on loopback unless it is told otherwise, and the probes if they are told.
EXPOSE 8080 9091 9092
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 CMD ["/opt/sapwood/bin/sapwood", "health"]
ENTRYPOINT ["/opt/sapwood/bin/sapwood"]
CMD ["serve"]
