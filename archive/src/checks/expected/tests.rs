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

fn record() -> Expected<'static> {
    Expected {
        duration_s: Some(5),
        frames: Some(120),
        framespersecond: Some(24),
        resolution: "480p",
        ratio: "16:9",
        generate_audio: Some(true),
    }
}

fn checks(expected: &Expected<'_>, movie: &Movie) -> Vec<&'static str> {
    let findings = expected.compare(movie);
    let wrong = findings.iter().filter(|finding| !finding.is_right);
    wrong.map(|finding| finding.check).collect()
}

/// Resolution, ratio and sizes of one of several models each.
type Published = (&'static str, &'static str, &'static [(u32, u32)]);

/// Every size that the service's documents list, of all models.
const PUBLISHED: &[Published] = &[
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
fn every_published_size_is_right_and_no_other_resolution_or_ratio_is() {
    let turned = |ratio: &str| {
        let (width, height) = ratio.split_once(':').unwrap();
        format!("{height}:{width}")
    };
    let other_resolutions = ["480p", "720p", "1080p", "2k", "4k"];
    let other_ratios = ["16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "9:21"];
    for &(resolution, ratio, sizes) in PUBLISHED {
        for &(width, height) in sizes {
            let upright = turned(ratio);
            let shapes = [(width, height, ratio), (height, width, upright.as_str())];
            for (width, height, ratio) in shapes {
                let expects = |resolution, ratio| {
                    let record = Expected {
                        resolution,
                        ratio,
                        ..record()
                    };
                    checks(&record, &movie(width, height))
                };
                assert!(expects(resolution, ratio).is_empty(), "{width}x{height}");
                for other in other_resolutions
                    .iter()
                    .filter(|other| **other != resolution)
                {
                    assert_eq!(
                        expects(other, ratio),
                        ["resolution"],
                        "{width}x{height} {other}"
                    );
                }
                for other in other_ratios.iter().filter(|other| **other != ratio) {
                    assert_eq!(
                        expects(resolution, other),
                        ["ratio"],
                        "{width}x{height} {other}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_duration_was_rounded_down() {
    for (found, is_right) in [
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
        assert_eq!(checks(&record(), &movie).is_empty(), is_right, "{found}");
    }
}

#[test]
fn frames_may_be_one_off_and_their_rate_one_percent() {
    let found = |frames, rate| {
        let mut movie = movie(864, 480);
        let video = movie.video.as_mut().unwrap();
        (video.frames, video.frame_rate) = (Some(frames), Some(rate));
        checks(&record(), &movie)
    };
    assert!(found(119, 23.976).is_empty());
    assert!(found(121, 24.2).is_empty());
    assert_eq!(found(118, 24.0), ["frames"]);
    assert_eq!(found(122, 25.0), ["frames", "frame_rate"]);
}

#[test]
fn sound_is_neither_missing_nor_unasked_for() {
    let silent = Movie {
        has_audio: false,
        ..movie(864, 480)
    };
    let finding = record().compare(&silent).pop().unwrap();
    let words = (finding.check, &*finding.expected, &*finding.found);
    assert_eq!(words, ("audio", "sound", "no sound"));
    let unasked = Expected {
        generate_audio: Some(false),
        ..record()
    };
    assert_eq!(checks(&unasked, &movie(864, 480)), ["audio"]);
    assert!(checks(&unasked, &silent).is_empty());
}

#[test]
fn what_is_not_known_is_not_compared() {
    let odd = movie(123, 45);
    assert!(checks(&Expected::default(), &odd).is_empty());
    for (resolution, ratio) in [
        ("", ""),
        ("8k", "adaptive"),
        ("480", "keep_ratio"),
        ("p", "0:0"),
        ("-1p", "16:"),
        ("", ":"),
    ] {
        let record = Expected {
            duration_s: Some(-1),
            frames: Some(0),
            framespersecond: Some(i64::MIN),
            resolution,
            ratio,
            generate_audio: None,
        };
        assert!(checks(&record, &odd).is_empty(), "{resolution} {ratio}");
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
    assert_eq!(checks(&record(), &fragmented), ["resolution", "ratio"]);
}

#[test]
fn a_movie_without_a_picture_or_with_an_empty_one_is_found() {
    let blind = Movie {
        video: None,
        ..movie(864, 480)
    };
    assert_eq!(checks(&Expected::default(), &blind), ["video"]);
    for (width, height) in [(0, 0), (0, 480), (864, 0)] {
        assert_eq!(
            checks(&record(), &movie(width, height)),
            ["resolution", "ratio"]
        );
    }
}
