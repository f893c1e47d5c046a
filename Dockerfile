# The project in a container: for the pods of workflow/profiles/kubernetes, or for a machine without Python.
#
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu --tag econ-bne .
#   docker run --rm --volume "$PWD:/study" econ-bne snakemake --cores all
#
# Wheels only, so no compiler; versions are those of constraints.txt; nothing runs as root. Without TORCH_INDEX, an
# index with CPU builds, torch for x86-64 brings its GPU libraries (some 3 GB; the CPU build is 200 MB).
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all: PIP_NO_BINARY=conda-inject,econ-bne
RUN python -m venv /opt/econ
ENV PATH=/opt/econ/bin:$PATH
WORKDIR /build
COPY . .
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
    ".[openvino,postgres,kubernetes]" \
    && find /opt/econ -name __pycache__ -prune -exec rm -r {} +

FROM python:${PYTHON}
# git: Snakemake asks it which files a pod has to be given.
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 econ && install -d -o econ /study
COPY --from=packages /opt/econ /opt/econ
ENV PATH=/opt/econ/bin:$PATH PYTHONUNBUFFERED=1
USER econ
WORKDIR /study
CMD ["econ", "--help"]
