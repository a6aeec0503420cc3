# The bridge, alone: a virtual environment on a slim base, run by a user who can write nothing but the volume.
# Everything installed comes from a lock with hashes. Needs no network once it is built, but for what it delivers to.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The locks first: as long as they stay the same, a changed source does not install everything anew.
COPY .ci/requirements.lock .ci/requirements-build.lock .ci/requirements-audit.lock .ci/
RUN python3 -m venv /opt/panelbridge \
 && /opt/panelbridge/bin/python -m pip install --no-compile --require-hashes --only-binary :all: \
        -r .ci/requirements.lock \
 && python3 -m venv /tmp/tools \
 && /tmp/tools/bin/python -m pip install --require-hashes --only-binary :all: -r .ci/requirements-build.lock \
 && python3 -m venv /tmp/audit \
 && /tmp/audit/bin/python -m pip install --require-hashes --only-binary :all: -r .ci/requirements-audit.lock

COPY pyproject.toml README.md LICENSE ./
COPY templates templates
COPY bridge bridge
# Compiled here, by content and for good: the final image never writes beside its code, and starts as fast read-only.
# pip has done its work then, and stays behind. What there is then is written down, as CycloneDX, for whoever audits it.
RUN /tmp/tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && /opt/panelbridge/bin/python -m pip install --no-compile --no-deps --no-index /tmp/wheel/*.whl \
 && for unneeded in setuptools pip; do /opt/panelbridge/bin/python -m pip uninstall --yes --quiet $unneeded; done \
 && /tmp/audit/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --mc-type application \
        --output-file /opt/panelbridge/panelbridge.cdx.json /opt/panelbridge/bin/python \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/panelbridge/lib


FROM python:3.13-slim
LABEL org.opencontainers.image.title="panelbridge" \
      org.opencontainers.image.description="VPN panels' webhooks in; Discord, Slack, Telegram, CRM and webhooks out" \
      org.opencontainers.image.licenses="MIT"

RUN groupadd --gid 10001 panelbridge \
 && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/panelbridge \
        --shell /usr/sbin/nologin panelbridge \
 && install --directory --mode 0700 --owner 10001 --group 10001 /var/lib/panelbridge \
 && install --directory --mode 0755 /etc/panelbridge
COPY --from=build /opt/panelbridge /opt/panelbridge

# PANELBRIDGE_PORT is where the healthcheck knocks: set it to the port of `listen` where that is another one.
ENV PATH=/opt/panelbridge/bin:$PATH \
    PANELBRIDGE_PORT=8080 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/panelbridge
VOLUME /var/lib/panelbridge
EXPOSE 8080
STOPSIGNAL SIGTERM

# http.client, because urllib would take the container's http_proxy to speak to itself.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python3", "-ISc", "import os, sys, http.client as http; c = http.HTTPConnection('127.0.0.1', int(os.environ['PANELBRIDGE_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

ENTRYPOINT ["panelbridge"]
CMD ["run", "--config", "/etc/panelbridge/config.yaml"]
