//! What stores do differently.

/// What a store does differently.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Dialect {
    /// Nothing.
    None,
    /// Without `s3:ListBucket`, a missing object is answered by 403.
    DeniesMissing,
    /// Writing is denied.
    DeniesPut,
    /// Reading is denied.
    DeniesGet,
    /// Tags are denied.
    DeniesTags,
    /// Starting a multipart upload is denied.
    DeniesUpload,
    /// Uploading a part is denied.
    DeniesPart,
    /// Aborting an upload is denied.
    DeniesAbort,
    /// Listing objects is denied.
    DeniesList,
    /// Listing uploads is denied.
    DeniesListUploads,
    /// Deleting is denied.
    DeniesDelete,
    /// Overwriting without a condition is denied.
    DeniesReplacing,
    /// The storage class is unknown.
    RejectsStorageClass,
    /// `If-None-Match` is ignored on every request.
    IgnoresConditions,
    /// `If-None-Match` is not implemented on any request.
    RejectsConditions,
    /// `If-Match` is ignored.
    IgnoresIfMatch,
    /// `If-None-Match` is ignored when an upload is completed.
    IgnoresConditionalComplete,
    /// `If-None-Match` is answered by 501 when an upload is completed.
    RejectsConditionalComplete,
    /// `If-None-Match` is answered by 400 when an upload is completed.
    RefusesConditionalComplete,
    /// As [`Self::RejectsConditionalComplete`], but a copy can be create-only, as on Cloudflare R2.
    CopiesLikeR2,
    /// The first conditional request to each key conflicts with another one.
    ConflictsOnce,
    /// Each conditional completion conflicts with another request.
    ConflictsAlways,
    /// Each conditional completion creates the object, and is then said to conflict with another request.
    ConflictsAfterCompleting,
    /// Reading an object fails, because it is in an archive tier.
    IsArchived,
    /// Reading an object fails.
    FailsReads,
    /// Reading an object has no response until the dialect is changed.
    HoldsReads,
    /// Every request is denied.
    DeniesEverything,
    /// Nothing exists, not even the bucket.
    IsGone,
    /// The store is unavailable.
    IsUnavailable,
    /// Every request fails, with a body of megabytes that repeats the token of the session.
    FailsAtLength,
    /// Completing an upload takes very long.
    IsSlow,
    /// All parts but one are told to slow down. At first, none is answered before there are several.
    SlowsDown,
}
