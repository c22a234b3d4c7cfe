use super::*;

fn movie(width: u32, height: u32) -> Movie {
    Movie {
        duration_s: Some(5.0),
        video: Some(VideoTrack {
            width,
            height,
            frames: Some(120),
            frame_rate: Some(24.0),
            codec: "avc1".into(),
        }),
        has_audio: true,
    }
}

fn record() -> RecordedVideo<'static> {
    RecordedVideo {
        duration_s: Some(5),
        frames: Some(120),
        framespersecond: Some(24),
        resolution: "480p",
        ratio: "16:9",
        generate_audio: Some(true),
    }
}

fn mismatches(expected: &RecordedVideo<'_>, movie: &Movie) -> Vec<&'static str> {
    let comparisons = expected.compare(movie);
    let mismatches = comparisons.iter().filter(|it| !it.is_match);
    mismatches.map(|it| it.check).collect()
}

/// A resolution, a ratio, and the sizes that different models use for them.
type DocumentedSizes = (&'static str, &'static str, &'static [(u32, u32)]);

/// All sizes in the service's documentation.
const DOCUMENTED_SIZES: &[DocumentedSizes] = &[
    ("480p", "16:9", &[(864, 480), (864, 496), (854, 480)]),
    ("480p", "4:3", &[(736, 544), (752, 560)]),
    ("480p", "1:1", &[(640, 640)]),
    ("480p", "21:9", &[(960, 416), (992, 432)]),
    ("720p", "16:9", &[(1248, 704), (1280, 720)]),
    ("720p", "4:3", &[(1120, 832), (1112, 834)]),
    ("720p", "1:1", &[(960, 960)]),
    ("720p", "21:9", &[(1504, 640), (1470, 630)]),
    ("1080p", "16:9", &[(1920, 1080), (1920, 1088)]),
    ("1080p", "4:3", &[(1664, 1248)]),
    ("1080p", "1:1", &[(1440, 1440)]),
    ("1080p", "21:9", &[(2176, 928), (2206, 946)]),
    ("4k", "16:9", &[(3840, 2160)]),
    ("4k", "4:3", &[(3326, 2494)]),
    ("4k", "1:1", &[(2880, 2880)]),
    ("4k", "21:9", &[(4398, 1886)]),
];

#[test]
fn every_documented_size_matches_only_its_own_resolution_and_ratio() {
    let swapped = |ratio: &str| {
        let (width, height) = ratio.split_once(':').unwrap();
        format!("{height}:{width}")
    };
    let other_resolutions = ["480p", "720p", "1080p", "2k", "4k"];
    let other_ratios = ["16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "9:21"];
    for &(resolution, ratio, sizes) in DOCUMENTED_SIZES {
        for &(width, height) in sizes {
            let portrait = swapped(ratio);
            let orientations = [(width, height, ratio), (height, width, portrait.as_str())];
            for (width, height, ratio) in orientations {
                let mismatches_with = |resolution, ratio| {
                    let record = RecordedVideo {
                        resolution,
                        ratio,
                        ..record()
                    };
                    mismatches(&record, &movie(width, height))
                };
                assert!(
                    mismatches_with(resolution, ratio).is_empty(),
                    "{width}x{height}"
                );
                for other in other_resolutions
                    .iter()
                    .filter(|other| **other != resolution)
                {
                    assert_eq!(
                        mismatches_with(other, ratio),
                        ["resolution"],
                        "{width}x{height} {other}"
                    );
                }
                for other in other_ratios.iter().filter(|other| **other != ratio) {
                    assert_eq!(
                        mismatches_with(resolution, other),
                        ["ratio"],
                        "{width}x{height} {other}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_duration_in_the_record_is_rounded_down() {
    for (found, is_match) in [
        (4.7, false),
        (4.85, true),
        (5.0, true),
        (5.958, true),
        (6.15, true),
        (6.3, false),
    ] {
        let movie = Movie {
            duration_s: Some(found),
            ..movie(864, 480)
        };
        assert_eq!(
            mismatches(&record(), &movie).is_empty(),
            is_match,
            "{found}"
        );
    }
}

#[test]
fn frames_may_differ_by_one_and_the_frame_rate_by_one_percent() {
    let found = |frames, rate| {
        let mut movie = movie(864, 480);
        let video = movie.video.as_mut().unwrap();
        (video.frames, video.frame_rate) = (Some(frames), Some(rate));
        mismatches(&record(), &movie)
    };
    assert!(found(119, 23.976).is_empty());
    assert!(found(121, 24.2).is_empty());
    assert_eq!(found(118, 24.0), ["frames"]);
    assert_eq!(found(122, 25.0), ["frames", "frame_rate"]);
}

#[test]
fn audio_must_be_present_if_and_only_if_requested() {
    let silent = Movie {
        has_audio: false,
        ..movie(864, 480)
    };
    let audio = record().compare(&silent).pop().unwrap();
    let texts = (audio.check, &*audio.expected, &*audio.found);
    assert_eq!(texts, ("audio", "sound", "no sound"));
    let not_requested = RecordedVideo {
        generate_audio: Some(false),
        ..record()
    };
    assert_eq!(mismatches(&not_requested, &movie(864, 480)), ["audio"]);
    assert!(mismatches(&not_requested, &silent).is_empty());
}

#[test]
fn unknown_values_are_not_compared() {
    let odd = movie(123, 45);
    assert!(mismatches(&RecordedVideo::default(), &odd).is_empty());
    for (resolution, ratio) in [
        ("", ""),
        ("8k", "adaptive"),
        ("480", "keep_ratio"),
        ("p", "0:0"),
        ("-1p", "16:"),
        ("", ":"),
    ] {
        let record = RecordedVideo {
            duration_s: Some(-1),
            frames: Some(0),
            framespersecond: Some(i64::MIN),
            resolution,
            ratio,
            generate_audio: None,
        };
        assert!(mismatches(&record, &odd).is_empty(), "{resolution} {ratio}");
    }
    let fragmented = Movie {
        duration_s: None,
        video: odd.video.map(|video| VideoTrack {
            frames: None,
            frame_rate: None,
            ..video
        }),
        has_audio: true,
    };
    assert_eq!(mismatches(&record(), &fragmented), ["resolution", "ratio"]);
}

#[test]
fn a_movie_without_a_video_track_or_with_a_zero_width_or_height_does_not_match() {
    let no_track = Movie {
        video: None,
        ..movie(864, 480)
    };
    assert_eq!(mismatches(&RecordedVideo::default(), &no_track), ["video"]);
    for (width, height) in [(0, 0), (0, 480), (864, 0)] {
        assert_eq!(
            mismatches(&record(), &movie(width, height)),
            ["resolution", "ratio"]
        );
    }
}
