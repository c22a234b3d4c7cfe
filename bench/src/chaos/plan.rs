//! The plan of a run: a pure function of its seed, the number of videos and the length.

mod deck;
mod endings;
mod every;
mod fault;
mod faults;
mod hosts;
mod video;
mod videos;

use std::time::Duration;

use seedance_archiver_simulator::{ErrorPage, HostDialect, RecordDialect};

pub(super) use endings::{EXPIRES, URL_LIFETIME};
pub(super) use fault::{Answer, Change, Fault, Kind, LinkTo, ListAnswer, WORKERS};
pub(super) use faults::all_kinds;
pub(super) use video::{Account, Expected, Trigger, Video};

use crate::random::Random;

/// How long the consequences of a fault last: a retry may come that much later.
const AFTERMATH: Duration = Duration::from_secs(40);

/// What happens in a run, in the order of time.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) videos: Vec<Video>,
    pub(super) faults: Vec<Fault>,
}

impl Plan {
    pub(super) fn new(seed: u64, videos: u32, length: Duration) -> Self {
        let mut random = Random::new(seed);
        let mut videos = videos::plan(&mut random, videos, length);
        let faults = faults::plan(&mut random, length, |_| true);
        videos::set_deadlines(&mut random, &mut videos);
        videos::set_query_faults(&mut random, &mut videos);
        videos::set_holds(&mut random, &mut videos, length);
        Self { videos, faults }
    }

    /// Returns a plan with a constant rate of videos, and with the faults that worker processes survive.
    pub(super) fn steady(seed: u64, videos: u32, length: Duration) -> Self {
        let mut random = Random::new(seed);
        let interval = length / videos.max(1);
        let mut videos = videos::plan(&mut random, videos, length);
        for (video, number) in videos.iter_mut().zip(0..) {
            video.at = interval * number;
        }
        let survivable = |kind: &Kind| !kind.replaces_workers();
        let faults = faults::plan(&mut random, length, survivable);
        videos::set_deadlines(&mut random, &mut videos);
        videos::set_query_faults(&mut random, &mut videos);
        videos::set_holds(&mut random, &mut videos, length);
        Self { videos, faults }
    }

    /// Leaves out what version 0.1.0 archives by mistake: secrets that a record repeats, and error pages that are not XML.
    pub(super) fn leave_out_mistakes_of_0_1_0(&mut self) {
        for script in self.videos.iter_mut().map(|video| &mut video.script) {
            if script.dialect == Some(RecordDialect::RepeatsSecrets) {
                script.dialect = None;
            }
            match script.host.error_page {
                ErrorPage::Xml | ErrorPage::Expired => {}
                ErrorPage::Text
                | ErrorPage::JsonString
                | ErrorPage::JsonArray
                | ErrorPage::Gzip => script.host = HostDialect::default(),
            }
        }
    }

    /// Returns the reasons for which a video may be lost that cannot be had, besides those of its script: those of
    /// faults meanwhile.
    pub(super) fn reasons_of_faults(&self, video: &Video) -> Vec<&'static str> {
        if !matches!(video.expected, Expected::Lost(_)) {
            return Vec::new();
        }
        let account = video.account();
        let end = video.at + endings::TIME_LEFT + AFTERMATH;
        let happens =
            |fault: &&Fault| fault.at < end && fault.at + fault.lasts + AFTERMATH > video.at;
        let faults = self.faults.iter().filter(happens);
        let faults = faults.filter(|fault| fault.kind.concerns(account));
        let reasons = faults.flat_map(|fault| fault.kind.reasons());
        reasons.copied().collect()
    }
}

#[cfg(test)]
mod tests;
