# The worker as an image: the binary and nothing else.
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin seedance-archiver && \
    cp target/release/seedance-archiver /seedance-archiver

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /seedance-archiver /usr/local/bin/seedance-archiver
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/seedance-archiver"]
CMD ["worker"]
