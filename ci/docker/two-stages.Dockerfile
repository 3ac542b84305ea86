# syntax=docker/dockerfile:1
# Two stages: the first fetches, the second installs without a network and has neither prefetch nor the archives.
FROM python:3.13-slim AS fetch
RUN python -m pip install pip-prefetch
COPY requirements.txt /app/
RUN --mount=type=cache,target=/root/.cache/prefetch \
    prefetch -r /app/requirements.txt --dest /wheelhouse

FROM python:3.13-slim
COPY requirements.txt /app/
RUN --network=none --mount=type=bind,from=fetch,source=/wheelhouse,target=/wheelhouse \
    python -m pip install --no-index --find-links /wheelhouse -r /app/requirements.txt
