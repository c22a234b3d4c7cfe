//! Fixes of the problems that a probe of an archive finds: the missing permission, by its name in each store, or the
//! setting to change.

use crate::archive::{Archive, ProbeError};

/// A kind of request that a store allows or denies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Permission {
    LookUp,
    Read,
    Create,
    Replace,
    Tag,
    Upload,
    Abort,
    Copy,
    List,
    ListUploads,
    Delete,
}

/// Texts in the errors of denied requests.
const DENIED: [&str; 3] = ["403 Forbidden", "401 Unauthorized", "AccessDenied"];

/// Fixes of errors that a store identifies by a text in its response.
const KNOWN_ERRORS: [(&str, &str); 3] = [
    (
        "RequestTimeTooSkewed",
        "synchronize the clock of this machine by NTP, e.g. `timedatectl set-ntp true`",
    ),
    (
        "AuthorizationHeaderMalformed",
        "set AWS_REGION to the region of the bucket",
    ),
    (
        "incorrectly configured region",
        "set AWS_REGION to the region of the bucket, or AWS_ENDPOINT to the endpoint of the store",
    ),
];

/// Returns how to fix a problem of an archive. `url_setting` is the one with its URL.
pub(super) fn fix(problem: &ProbeError, archive: &Archive, url_setting: &str) -> String {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    let scheme = archive.url().scheme();
    let text = problem.to_string();
    if let Some((_, fix)) = KNOWN_ERRORS.iter().find(|(known, _)| text.contains(known)) {
        return (*fix).to_owned();
    }
    match (problem, problem.store_error()) {
        (ProbeError::Write(NotFound { .. }), _) => {
            format!("create the bucket or container, or correct {url_setting}")
        }
        (_, Some(PermissionDenied { .. } | Unauthenticated { .. })) => denied(problem, archive),
        // Lists, copies and deletions have no error of their own for a denied request.
        _ if DENIED.iter().any(|denied| text.contains(denied)) => denied(problem, archive),
        (ProbeError::ListUploads(_), _) if scheme == "s3" => {
            "let a lifecycle rule of the bucket abort incomplete uploads: `clean` cannot list them in this store"
                .to_owned()
        }
        (problem, _) => setting(problem, scheme).to_owned(),
    }
}

/// Returns the fix of a request that the store denied.
fn denied(problem: &ProbeError, archive: &Archive) -> String {
    let Some(permission) = permission(problem) else {
        return "check the permissions of the worker; see \"Permissions\" in docs/stores.md".into();
    };
    let name = name(permission, archive.url().scheme());
    let keys = match problem {
        ProbeError::Write(_) => "give the worker the store's keys, or a role that may write: ",
        _ => "",
    };
    let key_access = match problem {
        ProbeError::Write(_) | ProbeError::StartUpload(_) | ProbeError::Read(_)
            if archive.has_kms_key() || problem.to_string().to_lowercase().contains("kms") =>
        {
            ", and `kms:GenerateDataKey` and `kms:Decrypt` on the KMS key of the account or the bucket"
        }
        _ => "",
    };
    format!("{keys}allow {name}{key_access}; see \"Permissions\" in docs/stores.md")
}

/// Returns the permission that the request needs.
fn permission(problem: &ProbeError) -> Option<Permission> {
    Some(match problem {
        ProbeError::MissingObject(_) => Permission::LookUp,
        ProbeError::Write(_) | ProbeError::ConditionalPut(_) => Permission::Create,
        ProbeError::Tags(_) => Permission::Tag,
        ProbeError::Read(_) => Permission::Read,
        ProbeError::Replace(_) | ProbeError::ConditionalReplace(_) => Permission::Replace,
        ProbeError::StartUpload(_)
        | ProbeError::StorageClass { .. }
        | ProbeError::UploadPart(_)
        | ProbeError::CompleteUpload(_)
        | ProbeError::ConditionalComplete(_) => Permission::Upload,
        ProbeError::AbortUpload(_) => Permission::Abort,
        ProbeError::Copy(_) => Permission::Copy,
        ProbeError::List(_) => Permission::List,
        ProbeError::ListUploads(_) => Permission::ListUploads,
        ProbeError::Delete(_) => Permission::Delete,
        _ => return None,
    })
}

/// Returns the name of a permission in a store.
fn name(permission: Permission, scheme: &str) -> &'static str {
    use Permission::{
        Abort, Copy, Create, Delete, List, ListUploads, LookUp, Read, Replace, Tag, Upload,
    };
    match (scheme, permission) {
        ("s3", LookUp) => {
            "`s3:ListBucket` on the bucket (without it, S3 returns 403 instead of 404 for a missing object, and \
             transfers fail) and `s3:GetObject` on the objects"
        }
        ("s3", Read) => "`s3:GetObject` on the objects",
        ("s3", Create | Replace | Upload) => "`s3:PutObject` on the objects",
        ("s3", Tag) => "`s3:PutObjectTagging` on the objects",
        ("s3", Abort) => "`s3:AbortMultipartUpload` on the objects",
        ("s3", Copy) => {
            "`s3:GetObject` and `s3:PutObject` on the objects, and with tags `s3:GetObjectTagging` and \
             `s3:PutObjectTagging`"
        }
        ("s3", List) => "`s3:ListBucket` on the bucket",
        ("s3", ListUploads) => "`s3:ListBucketMultipartUploads` on the bucket",
        ("s3", Delete) => "`s3:DeleteObject` on the objects",
        ("gs", LookUp) => "`storage.objects.get` and `storage.objects.list` on the bucket",
        ("gs", Read) => "`storage.objects.get` on the bucket",
        ("gs", Create) => "`storage.objects.create` on the bucket",
        ("gs", Replace) => "`storage.objects.create` and `storage.objects.delete` on the bucket",
        ("gs", Upload) => {
            "`storage.multipartUploads.create` and `storage.objects.create` on the bucket"
        }
        ("gs", Abort) => "`storage.multipartUploads.abort` on the bucket",
        ("gs", Copy) => "`storage.objects.get` and `storage.objects.create` on the bucket",
        ("gs", List) => "`storage.objects.list` on the bucket",
        ("gs", Delete) => "`storage.objects.delete` on the bucket",
        ("az", LookUp | Read) => {
            "the action `blobs/read` on the container (in a shared access signature: `r`)"
        }
        ("az", Create | Replace | Upload | Copy) => {
            "the action `blobs/write` on the container (in a shared access signature: `c` and `w`)"
        }
        ("az", List) => {
            "the action `blobs/read` on the container (in a shared access signature: `l`)"
        }
        ("az", Delete) => {
            "the action `blobs/delete` on the container (in a shared access signature: `d`)"
        }
        _ => "the worker to read and write the archive",
    }
}

/// Returns the setting or the property of the store to change.
fn setting(problem: &ProbeError, scheme: &str) -> &'static str {
    match problem {
        ProbeError::Timeout { .. } => {
            "check that this machine can reach the store, and the endpoint of the store (AWS_ENDPOINT, …); if the \
             endpoint is correct, the log of the store may tell why it does not answer this request"
        }
        ProbeError::Overwrites | ProbeError::ConditionalPut(_) => {
            "use a store that supports `If-None-Match: *` on a put; on others nothing is archived, because a video \
             could be overwritten"
        }
        ProbeError::CompleteOverwrites
        | ProbeError::ConditionalComplete(_)
        | ProbeError::NoCreateOnlyUpload { .. } => {
            "set AWS_COPY_IF_NOT_EXISTS to the header of the store for a create-only copy, or use another store; \
             until then nothing is archived; see \"Stores without conditional completion\" in docs/stores.md"
        }
        ProbeError::CopiesInstead { .. } => {
            "none needed; to skip this test, set AWS_COPY_IF_NOT_EXISTS to `header: NAME: *` with the name of this \
             header; see \"Stores without conditional completion\" in docs/stores.md"
        }
        ProbeError::CopyOverwrites => {
            "correct AWS_COPY_IF_NOT_EXISTS: the store ignores this header; until then nothing is archived"
        }
        ProbeError::Write(_) | ProbeError::Copy(_) if scheme == "file" => {
            "check that the directory is writable, that its disk has space, and that its file system has hard links; \
             without them, an existing object could be overwritten"
        }
        ProbeError::Copy(_) => {
            "correct AWS_COPY_IF_NOT_EXISTS, if it is set: the header and, with `header-with-status`, the status; \
             until then no large object is archived"
        }
        ProbeError::ConditionalReplace(_) | ProbeError::ReplacesChanged => {
            "use a store that supports `If-Match` on a put; on others, the record of a task that is archived after \
             its outcome was recorded may be wrong or missing"
        }
        ProbeError::StorageClass { .. } => {
            "correct `archive.storage_class` of the account: the store accepts the upload without it"
        }
        ProbeError::Tags(_) => {
            "remove `archive.tags` of the account: the store accepts the object without them"
        }
        ProbeError::FindsMissingObject => {
            "use an endpoint of the store itself: a proxy, or a website endpoint, answers for missing objects"
        }
        _ => "check that the bucket or directory exists and that the worker may read and write it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(problem: &ProbeError, archive: &Archive) -> String {
        super::fix(problem, archive, "`archive.destinations`")
    }

    fn error(scheme: &str, problem: fn(object_store::Error) -> ProbeError) -> String {
        let denied = object_store::Error::PermissionDenied {
            path: "videos".into(),
            source: "HTTP 403".into(),
        };
        let store = std::sync::Arc::new(object_store::memory::InMemory::new());
        let url = format!("{scheme}://videos/a").parse().unwrap();
        fix(&problem(denied), &Archive::from_store(url, store))
    }

    #[test]
    fn a_known_error_has_its_own_fix() {
        let failed = |text: &str| {
            let error = object_store::Error::PermissionDenied {
                path: "videos".into(),
                source: text.into(),
            };
            let store = std::sync::Arc::new(object_store::memory::InMemory::new());
            let url = "s3://videos/a".parse().unwrap();
            fix(&ProbeError::Write(error), &Archive::from_store(url, store))
        };
        assert!(failed("<Code>RequestTimeTooSkewed</Code>").contains("NTP"));
        assert!(failed("<Code>AuthorizationHeaderMalformed</Code>").contains("AWS_REGION"));
        assert!(failed("not authorized to perform: kms:Decrypt").contains("`kms:Decrypt`"));
        assert!(!failed("<Code>AccessDenied</Code>").contains("kms"));
    }

    #[test]
    fn a_missing_bucket_names_the_setting_with_its_url() {
        let missing = object_store::Error::NotFound {
            path: "videos".into(),
            source: "HTTP 404".into(),
        };
        let store = std::sync::Arc::new(object_store::memory::InMemory::new());
        let archive = Archive::from_store("s3://videos/a".parse().unwrap(), store);
        let fix = fix(&ProbeError::Write(missing), &archive);
        assert!(fix.ends_with("or correct `archive.destinations`"), "{fix}");
    }

    #[test]
    fn a_denied_request_names_the_permission_in_each_store() {
        for (problem, s3, gs, az) in [
            (
                ProbeError::MissingObject as fn(_) -> _,
                "`s3:ListBucket` on the bucket",
                "`storage.objects.list`",
                "`blobs/read`",
            ),
            (
                ProbeError::Write,
                "`s3:PutObject`",
                "`storage.objects.create`",
                "`c` and `w`",
            ),
            (
                ProbeError::Read,
                "`s3:GetObject`",
                "`storage.objects.get`",
                "`r`",
            ),
            (
                ProbeError::UploadPart,
                "`s3:PutObject`",
                "`storage.multipartUploads.create`",
                "`blobs/write`",
            ),
            (
                ProbeError::AbortUpload,
                "`s3:AbortMultipartUpload`",
                "`storage.multipartUploads.abort`",
                "read and write",
            ),
            (
                ProbeError::List,
                "`s3:ListBucket`",
                "`storage.objects.list`",
                "`l`",
            ),
            (
                ProbeError::Delete,
                "`s3:DeleteObject`",
                "`storage.objects.delete`",
                "`d`",
            ),
            (
                ProbeError::Replace,
                "`s3:PutObject`",
                "`storage.objects.delete`",
                "`blobs/write`",
            ),
            (
                ProbeError::Tags,
                "`s3:PutObjectTagging`",
                "read and write",
                "read and write",
            ),
        ] {
            for (scheme, expected) in [("s3", s3), ("gs", gs), ("az", az)] {
                let fix = error(scheme, problem);
                assert!(fix.contains(expected), "{scheme}: {fix}");
            }
        }
    }
}
