# Two stages: the first builds an environment from the lock, the second runs it and has nothing else.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY adapters adapters
COPY clients/javascript clients/javascript
RUN /venv/bin/pip install --no-cache-dir --no-build-isolation --no-deps --no-index . \
    && /venv/bin/pip uninstall --yes hatchling editables pip

FROM python:3.11-slim
COPY --from=build /venv /venv
RUN groupadd --system --gid 10001 gateway && useradd --system --uid 10001 --gid 10001 --no-create-home gateway
USER 10001:10001
ENV PATH=/venv/bin:$PATH GATEWAY_CONFIG=/etc/gateway/gateway.toml
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["connection-gateway", "wait", "--timeout", "3"]
ENTRYPOINT ["connection-gateway"]
CMD ["serve"]
