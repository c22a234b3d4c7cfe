//! The fixtures, which `fixtures/make.sh` encodes, and the values of the record fields that describe them.

pub(super) const SILENT: &[u8] = include_bytes!("../../fixtures/silent.mp4");
pub(super) const SOUND: &[u8] = include_bytes!("../../fixtures/sound.mp4");
pub(super) const PNG: &[u8] = include_bytes!("../../fixtures/last_frame.png");
pub(super) const JPEG: &[u8] = include_bytes!("../../fixtures/last_frame.jpg");

pub(crate) const RESOLUTION: &str = "480p";
pub(crate) const RATIO: &str = "16:9";
pub(crate) const SECONDS: u64 = 5;
pub(crate) const FRAMES: u64 = 120;
pub(crate) const FRAMES_PER_SECOND: u64 = 24;
/// 120 frames of 864 x 480 pixels. The service charges one token per 1,024 pixels.
pub(crate) const TOKENS: u64 = 864 * 480 * FRAMES / 1024;
