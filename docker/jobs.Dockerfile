# syntax=docker/dockerfile:1
# The jobs: `docker run lakejobs/jobs aggregate …` is `lakejobs aggregate …`.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS manifest
WORKDIR /opt/lakejobs
# Readable for the image's user, also where the clone is for its owner alone (umask 077).
COPY --chmod=644 package.json package-lock.json ./

# What the bundle in dist/ leaves outside. No package of it has an install script (tests/docker/images.test.ts).
FROM manifest AS packages
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY scripts/lib/external.json scripts/lib/
COPY docker/packages docker/packages
RUN node docker/packages/main.ts /packages && chmod -R a+rX /packages

FROM manifest AS build
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY jobs jobs
COPY scripts/lib/bundle.js scripts/lib/external.json scripts/lib/licences.js scripts/lib/
RUN npm run build && rm -rf dist/modules dist/*.map && chmod -R a+rX dist

# `docker build --target test`, then `docker run --rm IMAGE` for the unit tests, `… npm run test:integration` for others.
# The tests are no root: PostgreSQL, which some of them start, would refuse to run.
FROM build AS test
COPY --chown=node:node . .
RUN chown node:node . dist
USER node
CMD ["npm", "run", "--silent", "test:unit"]

FROM ${NODE_IMAGE} AS jobs
# tini as PID 1, whoever starts the container: a job is ended by SIGTERM from its first moment on, not only once it
# listens, and gets it alone.
RUN apt-get update \
    && apt-get install -y --no-install-recommends acl ca-certificates tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 50000 --gid 0 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin lakejobs
ENV NODE_ENV=production \
    LAKEJOBS_HOME=/opt/lakejobs \
    HOME=/tmp
WORKDIR /opt/lakejobs
COPY docker/lakejobs docker/data-init /usr/local/bin/
RUN chmod 755 /usr/local/bin/lakejobs /usr/local/bin/data-init && install -d -m 2775 -o lakejobs -g 0 data
COPY --from=manifest /opt/lakejobs ./
COPY --from=packages /packages ./
COPY --from=build /opt/lakejobs/dist dist
USER 50000:0
ENTRYPOINT ["/usr/bin/tini", "--", "lakejobs"]
CMD ["--help"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="lakejobs" \
      org.opencontainers.image.description="PostgreSQL and daily logs to a lake of Parquet and Apache Iceberg" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
