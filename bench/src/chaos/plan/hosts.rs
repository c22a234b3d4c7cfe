//! Hosts of videos, whatever they do differently.

use seedance_archiver_simulator::{Container, DigestHeaders, ErrorPage, HostDialect};

use super::every::{every_field, every_variant};

/// How many error pages a host returns: a client must not take the same page in two attempts for the video.
const ERROR_PAGES: u64 = 2;

/// Returns every dialect, beginning with that of ByteDance.
pub(super) fn all() -> Vec<HostDialect> {
    let default = HostDialect::default;
    let mut all = vec![default()];
    all.extend(of_each_field());
    all.extend(CONTAINERS.map(|container| HostDialect {
        container,
        ..default()
    }));
    all.extend(DIGEST_HEADERS.map(|digest_headers| HostDialect {
        digest_headers,
        ..default()
    }));
    all.extend(PAGES.map(|error_page| HostDialect {
        error_pages: ERROR_PAGES,
        error_page,
        ..default()
    }));
    distinct(all)
}

/// Returns the dialects of hosts from which a video can be had.
pub(super) fn savable() -> Vec<HostDialect> {
    let mut savable = all();
    savable.retain(|host| !host.changing_bytes);
    savable
}

/// Returns a dialect for each field.
fn of_each_field() -> Vec<HostDialect> {
    let all = every_field!(HostDialect {
        refusal_status: Some(410);
        refusal_code: Some("ExpiredToken".into()), refusal_status: Some(400);
        serves_expired: true;
        always_206: true;
        range_cap: Some(1 << 20);
        unknown_total: true;
        if_range_200: true;
        if_range_ignored: true;
        range_align: Some(4096);
        changing_etags: true;
        no_validators: true;
        changing_bytes: true;
        busy: 2, retry_after: Some(1);
        busy_status: Some(429), busy: 1;
        retry_after: Some(1), busy: 2;
        error_pages: ERROR_PAGES;
        error_page: ErrorPage::Text, error_pages: ERROR_PAGES;
        chunked: true;
        container: Container::Mov;
        digest_headers: DigestHeaders::Oss;
    });
    all.into()
}

fn distinct(hosts: Vec<HostDialect>) -> Vec<HostDialect> {
    let mut distinct = Vec::new();
    for host in hosts {
        if !distinct.contains(&host) {
            distinct.push(host);
        }
    }
    distinct
}

const CONTAINERS: [Container; 7] = every_variant!(Container {
    Mp4,
    C2pa,
    Mov,
    Webm,
    Gif,
    Glb,
    Gltf,
});

const DIGEST_HEADERS: [DigestHeaders; 8] = every_variant!(DigestHeaders {
    Tos,
    Oss,
    Cos,
    ContentMd5,
    Azure,
    Google,
    Amazon,
    ReprDigest,
});

const PAGES: [ErrorPage; 6] = every_variant!(ErrorPage {
    Xml,
    Expired,
    Text,
    JsonString,
    JsonArray,
    Gzip,
});
