//! Properties of a sequence of audits.

use proptest::prelude::*;
use seedance_archiver_proto::v1::AuditedPart;

use super::*;

fn shares() -> impl Strategy<Value = Share> {
    (1u32..=30).prop_flat_map(|denominator| {
        (1..=denominator).prop_map(move |numerator| {
            format!("{numerator}/{denominator}")
                .parse()
                .expect("a share")
        })
    })
}

/// Any coverage, as after audits with other shares, or of an edited report.
fn coverages() -> impl Strategy<Value = Coverage> {
    let parts = (0..=HASHES as i64, 0..=HASHES as i64, 0i64..100);
    let parts = parts.prop_map(|(from, to, verified_at)| AuditedPart {
        from,
        to,
        verified_at,
    });
    prop::collection::vec(parts, 0..20).prop_map(|parts| Coverage::new(&parts))
}

proptest! {
    #[test]
    fn a_period_of_audits_verifies_everything_once(
        coverage in coverages(),
        share in shares(),
        hash in any::<u32>(),
    ) {
        let mut coverage = coverage;
        let mut times = 0;
        for at in 100..100 + i64::from(share.audits()) {
            times += u32::from(is_in(&coverage.due(share), hash));
            coverage = coverage.after(share, at);
        }
        prop_assert!(coverage.oldest() >= 100, "{coverage:?}");
        // Only the last audit may have something left to do.
        prop_assert!((1..=2).contains(&times), "verified {times} times");
    }

    #[test]
    fn an_audit_verifies_its_share(coverage in coverages(), share in shares()) {
        let due = coverage.due(share);
        let hashes: u64 = due.iter().map(|part| part.end - part.start).sum();
        prop_assert_eq!(hashes, share.hashes());
    }

    #[test]
    fn the_parts_of_a_coverage_are_all_hashes(
        coverage in coverages(),
        shares in prop::collection::vec(shares(), 0..20),
    ) {
        let mut coverage = coverage;
        for (at, share) in (100..).zip(shares) {
            let before = coverage.parts().len();
            coverage = coverage.after(share, at);
            let parts = coverage.parts();
            prop_assert!(parts.len() <= before + 1 + share.audits() as usize, "{} parts", parts.len());
            let mut end = 0;
            for part in parts {
                prop_assert_eq!(part.from, end);
                prop_assert!(part.to > part.from);
                end = part.to;
            }
            prop_assert_eq!(end, HASHES as i64);
        }
    }

    /// Audits that were skipped, or that changed their share, delay the others and leave nothing out.
    #[test]
    fn nothing_waits_for_longer_than_a_period_of_audits(
        coverage in coverages(),
        first in prop::collection::vec(shares(), 0..10),
        share in shares(),
    ) {
        let mut coverage = coverage;
        for (at, share) in (100..).zip(first) {
            coverage = coverage.after(share, at);
        }
        for at in 200..300 {
            coverage = coverage.after(share, at);
            let audits = at - 200 + 1;
            if audits >= i64::from(share.audits()) {
                let oldest = coverage.oldest();
                prop_assert!(oldest > at - i64::from(share.audits()), "{oldest} at {at}");
            }
        }
    }
}
