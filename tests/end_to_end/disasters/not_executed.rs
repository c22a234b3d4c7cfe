//! Sentences of the text that the tests of its procedures do not execute. All others are quoted where a test executes them.

pub(super) const NOT_EXECUTED: &[&str] = &[
    // By tests of `sealed_urls`.
    "While a task can be queried, the transfer queries a fresh URL; after that, the outcome is `lost` with the reason \
     `seal_key_missing` once the URL expires.",
    // By unit tests of `policy`.
    "The next attempt follows after at most 15 minutes.",
    // What follows from another sentence.
    "No video is lost within a day.",
    "That is 7 days on BytePlus, two to three weeks with URLs of 14 days.",
    "Anyone with both the key and your history can unseal them too, until they expire.",
    "Its command of step 5 can take the place of that of step 3.",
    "After that, read the [receipt](receipt.md) itself.",
    "Keep both outside of the region: without the seal keys, or the API key if there are none, URLs in Temporal's history \
     cannot be unsealed.",
    // By the tests of another procedure.
    "Copy an object that differs from its receipt [once more](#the-region-of-the-bucket).",
    "The rate limits spread that burst, and urgent transfers run first.",
    "If Temporal was in the region and no replica takes over, [start another server](#losing-temporals-history).",
    // What others do: the cloud, Seedance, or the operator before a disaster.
    "Credentials of roles rotate automatically.",
    "Records of cancelled tasks are kept for 24 hours only.",
    "Keys and tasks belong to one region: for new videos, add another region as an [account](accounts.md) of its own.",
    "If it never does, videos older than 7 days are lost: replicate a bucket whose videos must survive its region.",
    "Workers can use the replica as it is.",
];
