//! Reads the settings of a bucket on S3, most of which are environment variables.

use object_store::{
    ClientConfigKey,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};

/// The values of a setting that is on.
const ON: [&str; 5] = ["1", "true", "on", "yes", "y"];

/// Returns whether requests to a bucket go to AWS itself, over TLS that is verified.
pub(super) fn is_aws(bucket: &AmazonS3Builder) -> bool {
    let invalid = AmazonS3ConfigKey::Client(ClientConfigKey::AllowInvalidCertificates);
    !has_endpoint(bucket) && !is_on(bucket, &invalid)
}

fn has_endpoint(bucket: &AmazonS3Builder) -> bool {
    let endpoints = [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint];
    let is_set = |key| bucket.get_config_value(key).is_some();
    endpoints.iter().any(is_set)
}

/// Returns whether all requests go to the bucket in the endpoint, whatever the bucket in the URL is.
pub(super) fn has_endpoint_of_bucket(bucket: &AmazonS3Builder) -> bool {
    has_endpoint(bucket) && is_on(bucket, &AmazonS3ConfigKey::VirtualHostedStyleRequest)
}

/// Returns whether the keys of a bucket are listed in order: not those of S3 Express One Zone.
pub(super) fn lists_in_order(bucket: &AmazonS3Builder) -> bool {
    !is_on(bucket, &AmazonS3ConfigKey::S3Express)
}

/// Returns whether a setting is on: `object_store` keeps the text of the environment variable, and accepts these words in any
/// case.
fn is_on(bucket: &AmazonS3Builder, key: &AmazonS3ConfigKey) -> bool {
    let value = bucket.get_config_value(key).unwrap_or_default();
    ON.iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_unsigned_only_towards_aws() {
        let bucket = || AmazonS3Builder::new().with_bucket_name("bucket");
        let invalid = AmazonS3ConfigKey::Client(ClientConfigKey::AllowInvalidCertificates);
        let s3_endpoint = AmazonS3ConfigKey::S3Endpoint;
        for (bucket, expected) in [
            (bucket(), true),
            (bucket().with_region("eu-central-1"), true),
            (bucket().with_config(invalid, "true"), false),
            (bucket().with_config(invalid, "1"), false),
            (bucket().with_config(invalid, "YES"), false),
            (bucket().with_config(invalid, "off"), true),
            (bucket().with_endpoint("http://minio:9000"), false),
            (bucket().with_endpoint("https://minio.example"), false),
            (
                bucket().with_config(s3_endpoint, "https://s3.example"),
                false,
            ),
        ] {
            assert_eq!(is_aws(&bucket), expected, "{bucket:?}");
        }
    }

    #[test]
    fn an_endpoint_contains_the_bucket_only_if_it_is_virtual() {
        let bucket = || AmazonS3Builder::new().with_bucket_name("bucket");
        let is_virtual = AmazonS3ConfigKey::VirtualHostedStyleRequest;
        let with_setting = |value: &str| {
            let bucket = bucket().with_endpoint("https://bucket.minio.example");
            bucket.with_config(is_virtual, value)
        };
        for (bucket, expected) in [
            (with_setting("True"), true),
            (with_setting("on"), true),
            (with_setting("y"), true),
            (with_setting("0"), false),
            (bucket(), false),
            (bucket().with_virtual_hosted_style_request(true), false),
            (bucket().with_endpoint("https://minio.example"), false),
            (
                bucket()
                    .with_endpoint("https://bucket.minio.example")
                    .with_virtual_hosted_style_request(true),
                true,
            ),
        ] {
            assert_eq!(has_endpoint_of_bucket(&bucket), expected, "{bucket:?}");
        }
    }

    #[test]
    fn s3_express_does_not_list_in_order() {
        let bucket = AmazonS3Builder::new().with_bucket_name("bucket");
        assert!(lists_in_order(&bucket));
        for (value, expected) in [("true", false), ("1", false), ("Yes", false), ("no", true)] {
            let bucket = bucket.clone();
            let bucket = bucket.with_config(AmazonS3ConfigKey::S3Express, value);
            assert_eq!(lists_in_order(&bucket), expected, "{value}");
        }
    }
}
