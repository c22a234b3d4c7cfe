//! The URLs that queries returned during a transfer, for all its attempts: they may work after the query window has
//! closed.

use std::time::SystemTime;

use parking_lot::Mutex;
use seedance_archiver_policy::deadlines::FreshUrl;
use seedance_archiver_proto::{
    time::{from_unix_seconds, unix_seconds},
    v1::VideoContent,
};
use serde::{Deserialize, Serialize};

/// What the queries of a transfer returned.
#[derive(Default)]
pub(super) struct FreshUrls(Mutex<SavedUrls>);

/// The same in a heartbeat. Times are Unix seconds, 0 if unknown.
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct SavedUrls {
    /// When a query last returned the record.
    queried_at: i64,
    /// The newest URLs. `None`: each query returned those of the request.
    newest: Option<NewestUrls>,
}

#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
struct NewestUrls {
    /// The URLs, sealed.
    content: VideoContent,
    /// When the query returned them.
    queried_at: i64,
    /// When the main URL expires, by the windows of the account.
    expires_at: i64,
}

impl SavedUrls {
    /// Returns whether no query returned the record.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl FreshUrls {
    /// Returns what the queries of earlier attempts returned.
    pub(super) fn restore(saved: SavedUrls) -> Self {
        Self(Mutex::new(saved))
    }

    /// Returns what the next attempt needs to know.
    pub(super) fn save(&self) -> SavedUrls {
        self.0.lock().clone()
    }

    /// Notes that a query returned the record.
    pub(super) fn set_queried(&self, now: SystemTime) {
        self.0.lock().queried_at = unix_seconds(now);
    }

    /// Replaces the newest URLs. `content` has them sealed, and `expires_at` is when the main one expires.
    pub(super) fn set_newest(
        &self,
        content: VideoContent,
        now: SystemTime,
        expires_at: Option<SystemTime>,
    ) {
        self.0.lock().newest = Some(NewestUrls {
            content,
            queried_at: unix_seconds(now),
            expires_at: expires_at.map_or(0, unix_seconds),
        });
    }

    /// Returns when a query last returned the record.
    pub(super) fn queried_at(&self) -> Option<SystemTime> {
        from_unix_seconds(self.0.lock().queried_at)
    }

    /// Returns the newest URLs, sealed.
    pub(super) fn content(&self) -> Option<VideoContent> {
        let saved = self.0.lock();
        saved.newest.as_ref().map(|urls| urls.content.clone())
    }

    /// Returns the times of the newest main URL.
    pub(super) fn times(&self) -> Option<FreshUrl> {
        let saved = self.0.lock();
        let newest = saved.newest.as_ref()?;
        Some(FreshUrl {
            queried_at: from_unix_seconds(newest.queried_at)?,
            expires_at: from_unix_seconds(newest.expires_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fresh_urls_survive_a_heartbeat() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let urls = FreshUrls::default();
        assert!(urls.save().is_empty());
        urls.set_queried(at(1_790_000_000));
        assert!(!urls.save().is_empty() && urls.times().is_none());
        let content = VideoContent {
            video_url: "sealed:v2:a".to_owned(),
            ..VideoContent::default()
        };
        urls.set_newest(content.clone(), at(1_790_000_000), Some(at(1_790_086_400)));
        let json = serde_json::to_string(&urls.save()).unwrap();
        let restored = FreshUrls::restore(serde_json::from_str(&json).unwrap());
        assert_eq!(restored.queried_at(), Some(at(1_790_000_000)));
        assert_eq!(restored.content(), Some(content));
        let times = FreshUrl {
            queried_at: at(1_790_000_000),
            expires_at: Some(at(1_790_086_400)),
        };
        assert_eq!(restored.times(), Some(times));
    }
}
