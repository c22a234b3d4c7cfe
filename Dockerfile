# syntax=docker/dockerfile:1
# The image of the worker: only the binary, without the simulator. `--build-arg FEATURES=simulator` adds it, with the
# commands `demo` and `simulator`.
#
# Base images are referenced by tag. The provenance of a release has their digests.

FROM rust:1.95.0-bookworm AS build
ARG TARGETARCH
ARG FEATURES=""
WORKDIR /build
COPY . .
# Dependencies are cached in mounts, not in a layer: an update of one dependency rebuilds only that one. One build at a
# time, so that none copies the binary of another.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=target-$TARGETARCH,target=/build/target,sharing=locked \
    cargo build --release --locked --bin seedance-archiver --no-default-features --features "$FEATURES" && \
    cp target/release/seedance-archiver /seedance-archiver

# Only the binary, for the release's download.
FROM scratch AS binary
COPY --from=build /seedance-archiver /

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="seedance-archiver" \
      org.opencontainers.image.description="A Temporal worker that archives finished ByteDance Seedance videos before their URLs expire"
COPY --from=build /seedance-archiver /usr/local/bin/seedance-archiver
ENV SEEDANCE_ADMIN_ADDRESS=0.0.0.0:9464
EXPOSE 9464
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["/usr/local/bin/seedance-archiver", "health"]
ENTRYPOINT ["/usr/local/bin/seedance-archiver"]
CMD ["worker"]
