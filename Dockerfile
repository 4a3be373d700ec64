# Two stages: the first builds an environment from the lock, the second runs it and has nothing else.
ARG PYTHON=3.13
FROM docker.io/library/python:${PYTHON}-slim AS build
WORKDIR /build
# requirements-shared.lock has what [shared] needs as well
ARG LOCK=requirements.lock
COPY ${LOCK} requirements.lock
# The tools are in an environment of their own, so that the one that is kept has neither pip nor a build backend
RUN python -m venv tools \
    && tools/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY adapters adapters
COPY clients/javascript clients/javascript
COPY .ci/sbom .ci/sbom
# Compiled without looking at times, which some builders round: otherwise each start would compile everything anew
RUN tools/bin/pip wheel --no-cache-dir --no-build-isolation --no-deps --no-index --wheel-dir . . \
    && python -m venv --without-pip /venv \
    && tools/bin/pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps -r requirements.lock \
    && tools/bin/pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps --no-index ./*.whl \
    && tools/bin/pip --python /venv/bin/python uninstall --yes \
        hatchling editables packaging pathspec pluggy tomlkit trove-classifiers \
    && python -m compileall -q -f --invalidation-mode unchecked-hash /venv/lib \
    && /venv/bin/python .ci/sbom >/venv/sbom.cdx.json

FROM docker.io/library/python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="connection-gateway" \
    org.opencontainers.image.description="One HTTP endpoint that says where two users stand with each other, on any platform." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}"
# The base's own pip, which nothing here uses, goes as well
RUN groupadd --system --gid 10001 gateway && useradd --system --uid 10001 --gid 10001 --no-create-home gateway \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip
COPY --from=build /venv /venv
USER 10001:10001
ENV PATH=/venv/bin:$PATH GATEWAY_CONFIG=/etc/gateway/gateway.toml PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["connection-gateway", "wait", "--timeout", "3"]
ENTRYPOINT ["connection-gateway"]
CMD ["serve"]
