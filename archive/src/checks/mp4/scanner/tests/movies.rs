//! The properties of movies.

use super::*;

#[test]
fn the_properties_of_a_real_file_are_those_that_ffprobe_reports() {
    assert_eq!(scan(SILENT), Ok(silent_movie()));
    assert_eq!(
        scan(SOUND),
        Ok(Movie {
            has_audio: true,
            ..silent_movie()
        })
    );
}

#[test]
fn the_result_does_not_depend_on_the_chunks() {
    for size in (1..=300).chain([1 << 10, 1 << 16, SILENT.len() - 1, SILENT.len() + 1]) {
        assert_eq!(
            scan_in(SILENT, size, None),
            Ok(silent_movie()),
            "chunks of {size}"
        );
    }
    for (_, range) in boxes(SILENT) {
        for cut in range.start.saturating_sub(20)..(range.start + 20).min(SILENT.len()) {
            let mut scanner = Mp4Scanner::new(Some(SILENT.len() as u64));
            for half in [&SILENT[..cut], &[], &SILENT[cut..]] {
                scanner.update(half).unwrap();
            }
            assert_eq!(scanner.finish(), Ok(silent_movie()), "cut at {cut}");
        }
    }
}

#[test]
fn a_moov_without_a_required_box_is_an_error() {
    for kind in [
        b"mvhd", b"mdia", b"hdlr", b"minf", b"stbl", b"stsd", b"stts", b"mdhd",
    ] {
        let error = scan(&with(SILENT, find(SILENT, kind), b"free")).unwrap_err();
        let name = String::from_utf8_lossy(kind);
        assert_eq!(
            error.to_string(),
            format!("invalid moov box: {name} is missing")
        );
    }
    let too_large = with(SILENT, find(SILENT, b"mdia") - 4, &[0x7f]);
    let error = scan(&too_large).unwrap_err().to_string();
    assert_eq!(error, "invalid moov box: mdia: larger than its parent box");
}

#[test]
fn an_error_in_an_unneeded_box_is_ignored() {
    let name = find(SILENT, b"vide") + 16;
    for odd in [
        with(SILENT, name, &[0xff, 0xfe]),
        with(SILENT, find(SILENT, b"avcC") + 4, &[0xff; 16]),
        with(SILENT, find(SILENT, b"udta") + 4, &[0xff; 16]),
        with(SILENT, find(SILENT, b"stsz") + 8, &[0xff; 8]),
    ] {
        assert_eq!(scan(&odd), Ok(silent_movie()));
    }
    let unknown = scan(&with(SILENT, find(SILENT, b"stsd") + 16, b"vvc9")).unwrap();
    assert_eq!(unknown.video.unwrap().codec, "vvc9");
    let no_track = Movie {
        video: None,
        ..silent_movie()
    };
    assert_eq!(
        scan(&with(SILENT, find(SILENT, b"trak"), b"free")),
        Ok(no_track)
    );
}

#[test]
fn without_times_there_is_no_duration_or_frame_rate() {
    let [mvhd, mdhd, stts] = [b"mvhd", b"mdhd", b"stts"].map(|kind| find(SILENT, kind));
    let (timescale, duration) = (mvhd + 16, mvhd + 20);
    for (at, value) in [
        (timescale, [0; 4]),
        (duration, [0; 4]),
        (duration, [0xff; 4]),
    ] {
        let movie = Movie {
            duration_s: None,
            ..silent_movie()
        };
        assert_eq!(scan(&with(SILENT, at, &value)), Ok(movie), "{at}");
    }
    for zero in [mdhd + 16, stts + 16] {
        let movie = scan(&with(SILENT, zero, &[0; 4])).unwrap();
        assert_eq!(movie.video.unwrap().frame_rate, None, "{zero}");
    }
}

#[test]
fn the_properties_are_those_of_the_first_video_track() {
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(SILENT, kind));
    let first = part(&moov[8..], b"trak");
    let second = with(first, find(first, b"avc1"), b"hvc1");
    let moov = boxed(b"moov", &[&moov[8..], &second].concat());
    assert_eq!(scan(&[ftyp, &moov, mdat].concat()), Ok(silent_movie()));
}

#[test]
fn an_audio_track_without_samples_is_no_sound_unless_the_movie_is_fragmented() {
    let audio = find(SOUND, b"soun");
    let stts = audio + find(&SOUND[audio..], b"stts");
    let no_samples = with(SOUND, stts + 8, &[0; 4]);
    assert_eq!(scan(&no_samples), Ok(silent_movie()));
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(&no_samples, kind));
    let mvex = boxed(b"mvex", &[]);
    let moov = boxed(b"moov", &[&moov[8..], &mvex].concat());
    let fragmented = scan(&[ftyp, &moov, mdat].concat()).unwrap();
    assert!(fragmented.has_audio);
}

#[test]
fn a_fragmented_movie_has_fewer_properties() {
    let ftyp = part(SILENT, b"ftyp");
    let moov = part(SILENT, b"moov");
    let mvhd = find(moov, b"mvhd");
    let moov = with(moov, mvhd + 20, &[0; 4]);
    let stts = find(&moov, b"stts");
    let moov = with(&moov, stts + 8, &[0; 4]);
    let mehd = boxed(b"mehd", &[0, 0, 0, 0, 0, 0, 0x1b, 0x58]);
    let mvex = boxed(b"mvex", &mehd);
    let moov = boxed(b"moov", &[&moov[8..], &mvex].concat());
    let fragment = [boxed(b"moof", b"x"), boxed(b"mdat", b"y")].concat();
    let movie = scan(&[ftyp, &moov, &fragment, &fragment].concat()).unwrap();
    assert_eq!(movie.duration_s, Some(7.0));
    let video = movie.video.unwrap();
    assert_eq!((video.frames, video.frame_rate), (None, None));
    assert_eq!((video.width, video.height), (864, 480));
}
