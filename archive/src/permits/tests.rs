use futures::FutureExt;

use super::*;

const ANY: Urgency = Urgency(0);

#[test]
fn permits_are_received_by_urgency_and_in_turn() {
    let permits = Permits::new(1);
    let permit = permits.acquire(ANY).now_or_never();
    let urgency = |hours: i64| Urgency::of_deadline(hours * 3600);
    let mut late = Box::pin(permits.acquire(urgency(9)));
    let mut first = Box::pin(permits.acquire(urgency(1)));
    let mut second = Box::pin(permits.acquire(urgency(1)));
    let mut gave_up = Box::pin(permits.acquire(urgency(0)));
    for waiting in [&mut late, &mut first, &mut second, &mut gave_up] {
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    drop(gave_up);
    drop(permit);
    assert!(second.as_mut().now_or_never().is_none());
    let first = first.now_or_never();
    assert!(first.is_some());
    drop(first);
    let second = second.now_or_never();
    assert!(second.is_some());
    assert!(late.as_mut().now_or_never().is_none());
    drop(second);
    assert!(late.now_or_never().is_some());
    assert!(permits.acquire(urgency(9)).now_or_never().is_some());
}

#[test]
fn a_permit_that_nobody_took_is_not_lost() {
    let permits = Permits::new(1);
    let permit = permits.acquire(ANY).now_or_never();
    let mut waiting = Box::pin(permits.acquire(ANY));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(permit);
    drop(waiting);
    let again = permits.acquire(ANY).now_or_never();
    assert!(again.is_some());
}

#[test]
fn several_permits_are_taken_at_the_same_time_and_in_turn() {
    let permits = Permits::new(3);
    let one = permits.acquire(ANY).now_or_never();
    let mut three = Box::pin(permits.acquire_many(ANY, 3));
    assert!(three.as_mut().now_or_never().is_none());
    let mut after = Box::pin(permits.acquire(ANY));
    assert!(after.as_mut().now_or_never().is_none(), "in turn");
    drop(one);
    assert!(three.as_mut().now_or_never().is_some());
    assert!(after.as_mut().now_or_never().is_some());
}

#[test]
fn one_that_left_holds_up_nobody() {
    let permits = Permits::new(2);
    let _one = permits.acquire(ANY).now_or_never();
    let mut two = Box::pin(permits.acquire_many(ANY, 2));
    assert!(two.as_mut().now_or_never().is_none());
    assert!(permits.are_awaited());
    drop(two);
    assert!(!permits.are_awaited());
    assert!(permits.acquire(ANY).now_or_never().is_some());
}

#[test]
fn the_total_changes_while_permits_are_taken() {
    let permits = Permits::new(usize::MAX);
    let acquire = || permits.acquire(ANY).now_or_never();
    let mut taken: Vec<_> = (0..4).map(|_| acquire()).collect();
    assert!(taken.iter().all(Option::is_some));
    permits.resize(2);
    assert_eq!(permits.taken(), 4);
    let mut waiting = Box::pin(permits.acquire(ANY));
    for _ in 0..2 {
        taken.pop();
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    permits.resize(3);
    assert!(waiting.as_mut().now_or_never().is_some());
}
