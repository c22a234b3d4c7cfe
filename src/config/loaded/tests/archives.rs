//! The archive of a worker.

use super::*;

#[test]
fn an_archive_url_names_a_writable_destination() {
    let error = |url| errors(&[KEY, ("SEEDANCE_ARCHIVE_URL", url)]).remove(0);
    assert!(error("http://host/videos").contains("has an unsupported scheme"));
    assert!(error("s3://").contains("has no bucket"));
    assert!(error("s3://bucket/a?version=1").contains("has a query"));
    assert!(error("s3://user:password@bucket").contains("a user name or a password"));
    assert!(error("file://").contains("has no local directory"));
    assert!(error("file://host/videos").contains("has no local directory"));
}

#[test]
fn an_archive_is_not_under_the_staged_objects_of_another() {
    for url in [
        "s3://bucket/.staging",
        "gs://bucket/team/.staging/",
        "az://container/%2Estaging/videos",
        "s3://bucket/team%2F.staging",
        "file:///srv/.Staging/videos",
    ] {
        let error = errors(&[KEY, ("SEEDANCE_ARCHIVE_URL", url)]).remove(0);
        assert!(
            error.starts_with("SEEDANCE_ARCHIVE_URL cannot be used: "),
            "{error}"
        );
        assert!(error.contains("`.staging` is reserved"), "{error}");
    }
    assert!(load(&[KEY, ("SEEDANCE_ARCHIVE_URL", "s3://bucket/a.staging")]).is_ok());
}
