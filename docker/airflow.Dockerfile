# syntax=docker/dockerfile:1
# Airflow with the jobs inside: a task of the Bash runner is a process in the scheduler's container. "jobs" is the image
# of jobs.Dockerfile, which Compose hands in; by hand: --build-context jobs=docker-image://lakejobs/jobs
# The Docker provider for the other runner is part of the base image.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.11
FROM ${AIRFLOW_IMAGE}
USER root
COPY --from=jobs /usr/local/bin/node /usr/local/bin/lakejobs /usr/local/bin/
COPY --from=jobs /opt/lakejobs /opt/lakejobs
COPY docker/airflow-init.py docker/airflow-part /opt/airflow/
COPY docker/airflow_local_settings.py /opt/airflow/config/
# A volume takes over owner and mode of the folder that it is mounted at.
RUN install -d -m 2775 -o airflow -g 0 /opt/airflow/dags /opt/airflow/logs \
    && install -d -m 2770 -o airflow -g 0 /opt/airflow/secrets \
    && chmod 755 /opt/airflow/airflow-part \
    && chmod 644 /opt/airflow/airflow-init.py /opt/airflow/config/airflow_local_settings.py \
    && node /opt/lakejobs/dist/main.js --version
ENV LAKEJOBS_HOME=/opt/lakejobs \
    PYTHONDONTWRITEBYTECODE=1
USER airflow
LABEL org.opencontainers.image.title="lakejobs-airflow" \
      org.opencontainers.image.description="Apache Airflow with the jobs of lakejobs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
