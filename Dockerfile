# syntax=docker/dockerfile:1
# The worker as an image: the binary and nothing else.
#
# Base images have tags. Which digests a release was built from is in its provenance.

FROM rust:1.95.0-bookworm AS build
ARG TARGETARCH
WORKDIR /build
COPY . .
# Dependencies are cached in mounts and not in a layer: a new version of one builds that one, not all.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=target-$TARGETARCH,target=/build/target \
    cargo build --release --locked --bin seedance-archiver && \
    cp target/release/seedance-archiver /seedance-archiver

# What a release publishes beside the image: the same binary.
FROM scratch AS binary
COPY --from=build /seedance-archiver /

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="seedance-archiver" \
      org.opencontainers.image.description="A Temporal worker that archives finished ByteDance Seedance videos before their URLs die"
COPY --from=build /seedance-archiver /usr/local/bin/seedance-archiver
ENV SEEDANCE_ADMIN_ADDRESS=0.0.0.0:9464
EXPOSE 9464
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["/usr/local/bin/seedance-archiver", "health"]
ENTRYPOINT ["/usr/local/bin/seedance-archiver"]
CMD ["worker"]
