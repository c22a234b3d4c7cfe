//! Hosts from which a video can be had, whatever they do differently.

use seedance_archiver_simulator::{Container, DigestHeaders, HostDialect};

/// Returns every dialect that does not make a video impossible to have, beginning with that of ByteDance.
pub(super) fn all() -> Vec<HostDialect> {
    let default = HostDialect::default;
    let mut all = vec![
        default(),
        HostDialect {
            refusal_status: Some(400),
            refusal_code: Some("ExpiredToken".into()),
            ..default()
        },
        HostDialect {
            refusal_status: Some(410),
            ..default()
        },
        HostDialect {
            serves_expired: true,
            ..default()
        },
        HostDialect {
            always_206: true,
            ..default()
        },
        HostDialect {
            range_cap: Some(1 << 20),
            ..default()
        },
        HostDialect {
            unknown_total: true,
            ..default()
        },
        HostDialect {
            if_range_200: true,
            ..default()
        },
        HostDialect {
            if_range_ignored: true,
            ..default()
        },
        HostDialect {
            range_align: Some(4096),
            ..default()
        },
        HostDialect {
            changing_etags: true,
            ..default()
        },
        HostDialect {
            no_validators: true,
            ..default()
        },
        HostDialect {
            busy: 2,
            retry_after: Some(1),
            ..default()
        },
        HostDialect {
            busy: 1,
            busy_status: Some(429),
            ..default()
        },
        HostDialect {
            chunked: true,
            ..default()
        },
    ];
    all.extend(CONTAINERS.map(|container| HostDialect {
        container,
        ..default()
    }));
    all.extend(DIGEST_HEADERS.map(|digest_headers| HostDialect {
        digest_headers,
        ..default()
    }));
    all
}

const CONTAINERS: [Container; 6] = [
    Container::C2pa,
    Container::Mov,
    Container::Webm,
    Container::Gif,
    Container::Glb,
    Container::Gltf,
];

const DIGEST_HEADERS: [DigestHeaders; 7] = [
    DigestHeaders::Oss,
    DigestHeaders::Cos,
    DigestHeaders::ContentMd5,
    DigestHeaders::Azure,
    DigestHeaders::Google,
    DigestHeaders::Amazon,
    DigestHeaders::ReprDigest,
];
