//! Checks that continue from a saved state.

use super::*;

#[test]
fn checks_can_be_resumed_at_any_offset_outside_the_moov() {
    let task = record();
    let expectation = Expectation {
        kind: ObjectKind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        rejected_md5: None,
        rejected_sha256: None,
    };
    let declared = declared(SILENT, &correct_headers());
    let expected = check(SILENT, &record(), &correct_headers()).unwrap();
    let mut not_saved = 0;
    for cut in (0..SILENT.len()).step_by(97) {
        let (before, after) = SILENT.split_at(cut);
        let mut running = RunningChecks::new(ObjectKind::Video, declared.clone());
        running.update(before);
        let Some(saved) = running.save() else {
            not_saved += 1;
            continue;
        };
        let json = serde_json::to_string(&saved).unwrap();
        let saved = serde_json::from_str(&json).unwrap();
        let mut running = RunningChecks::restore(ObjectKind::Video, saved).unwrap();
        assert_eq!(running.declared(), &declared, "cut at {cut}");
        running.update(after);
        assert_eq!(
            running.finish(expectation).unwrap(),
            expected,
            "cut at {cut}"
        );
    }
    let moov = 4000;
    assert!(not_saved * 97 < moov, "{not_saved} offsets without a state");
}
