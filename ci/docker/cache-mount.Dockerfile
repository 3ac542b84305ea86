# syntax=docker/dockerfile:1
# One stage: the cache of prefetch outlives the build, the layer holds the installed packages alone.
FROM python:3.13-slim
RUN python -m pip install pip-prefetch
COPY requirements.txt /app/
RUN --mount=type=cache,target=/root/.cache/prefetch --mount=type=tmpfs,target=/wheelhouse \
    prefetch -r /app/requirements.txt --dest /wheelhouse && \
    python -m pip install --no-index --find-links /wheelhouse -r /app/requirements.txt
