use proptest::{collection::vec, option, prelude::*};

use super::*;

const AVAILABLE: Lists = Lists {
    are_available: true,
    page_size: 500,
    max_ids: 100,
};

fn task(list: Option<usize>, position: usize, worth: f64) -> Candidate {
    Candidate {
        list,
        position: Some(position),
        worth,
        can_be_queried: true,
    }
}

#[test]
fn nothing_is_asked_before_it_is_worth_a_poll() {
    assert_eq!(choose(&[], AVAILABLE, true), None);
    assert_eq!(choose(&[task(Some(0), 0, 0.99)], AVAILABLE, true), None);
    let two = [task(Some(0), 0, 0.4), task(Some(0), 1, 0.5)];
    assert_eq!(choose(&two, AVAILABLE, true), None);
}

#[test]
fn one_task_is_queried_when_it_would_be_polled_alone() {
    let query = Some(Request::Query(0));
    assert_eq!(choose(&[task(Some(0), 0, 1.0)], AVAILABLE, true), query);
    assert_eq!(choose(&[task(None, 0, 1.0)], AVAILABLE, true), query);
}

/// The service asked to wait with queries.
#[test]
fn while_no_query_can_be_sent_lists_answer_for_all_that_they_show() {
    let by_id = Some(Request::Tasks {
        list: 0,
        candidates: vec![0],
    });
    let alone = task(Some(0), 0, 1.0);
    assert_eq!(choose(&[alone], AVAILABLE, false), by_id);
    let unlisted = task(None, 0, 100.0);
    let tasks = [task(Some(0), 0, 1.0), unlisted];
    assert_eq!(choose(&tasks, AVAILABLE, true), Some(Request::Query(1)));
    assert_eq!(choose(&tasks, AVAILABLE, false), by_id);
    assert_eq!(choose(&tasks[1..], AVAILABLE, false), None);
}

/// The service asked to wait with the queries of one task.
#[test]
fn a_task_that_cannot_be_queried_holds_up_no_other_and_is_listed() {
    let waiting = |list| Candidate {
        can_be_queried: false,
        ..task(list, 0, 100.0)
    };
    let tasks = [waiting(None), task(None, 0, 1.0)];
    assert_eq!(choose(&tasks, AVAILABLE, true), Some(Request::Query(1)));
    assert_eq!(choose(&tasks[..1], AVAILABLE, true), None);
    let by_id = Some(Request::Tasks {
        list: 0,
        candidates: vec![0],
    });
    assert_eq!(choose(&[waiting(Some(0))], AVAILABLE, true), by_id);
}

#[test]
fn tasks_that_are_together_worth_a_poll_are_listed_by_id() {
    let tasks = [
        task(Some(0), 0, 0.5),
        task(Some(1), 0, 0.9),
        task(Some(0), 1, 0.6),
        task(Some(0), 2, 0.0),
    ];
    let expected = Request::Tasks {
        list: 0,
        candidates: vec![2, 0],
    };
    assert_eq!(choose(&tasks, AVAILABLE, true), Some(expected));
}

#[test]
fn of_many_tasks_the_page_that_is_worth_most_is_listed() {
    let tasks: Vec<_> = (0..2_000)
        .map(|position| {
            task(
                Some(0),
                position,
                if position < 1_000 { 0.01 } else { 0.02 },
            )
        })
        .collect();
    let page = choose(&tasks, AVAILABLE, true);
    assert!(
        matches!(
            page,
            Some(Request::Page {
                list: 0,
                page_num: 3 | 4
            })
        ),
        "{page:?}"
    );
    // Few of the old tasks are left on each page.
    let sparse: Vec<_> = (0..200)
        .map(|index| task(Some(0), index * 100, 0.1))
        .collect();
    let Some(Request::Tasks { candidates, .. }) = choose(&sparse, AVAILABLE, true) else {
        panic!("not by id");
    };
    assert_eq!(candidates.len(), 100);
}

#[test]
fn without_a_list_the_task_that_is_worth_most_is_queried() {
    let tasks = [task(Some(0), 0, 1.1), task(Some(0), 1, 1.2)];
    let failing = Lists {
        are_available: false,
        ..AVAILABLE
    };
    assert_eq!(choose(&tasks, failing, true), Some(Request::Query(1)));
    let no_ids = Lists {
        max_ids: 0,
        ..AVAILABLE
    };
    let page = Request::Page {
        list: 0,
        page_num: 1,
    };
    assert_eq!(choose(&tasks, no_ids, true), Some(page));
}

#[test]
fn the_polls_of_a_watched_task_become_rare() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    assert_eq!(backstop(Duration::ZERO), minutes(10));
    assert_eq!(backstop(minutes(10)), minutes(50));
    let mut age = Duration::ZERO;
    let mut polls = 0;
    while age < Duration::from_secs(36 * 60 * 60) {
        age += backstop(age);
        polls += 1;
    }
    assert_eq!(polls, 6, "within the lifetime of a task in the tier flex");
}

#[test]
fn a_new_task_polls_itself_after_ninety_seconds() {
    assert_eq!(first_backstop().as_secs(), 90);
}

#[test]
fn a_watched_task_is_polled_twice_a_day() {
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(backstop(day), day / 2);
}

#[test]
fn a_task_that_a_list_shows_with_others_is_not_queried_alone() {
    let tasks = [task(Some(0), 0, 1.2), task(Some(0), 1, 0.0)];
    let expected = Request::Tasks {
        list: 0,
        candidates: vec![0],
    };
    assert_eq!(choose(&tasks, AVAILABLE, true), Some(expected));
    let unlisted = [task(None, 0, 1.2), task(None, 0, 1.1)];
    assert_eq!(choose(&unlisted, AVAILABLE, true), Some(Request::Query(0)));
}

#[test]
fn a_request_has_as_many_ids_as_the_service_accepts() {
    let two = Lists {
        max_ids: 2,
        ..AVAILABLE
    };
    let task = |worth| Candidate {
        list: Some(0),
        position: None,
        worth,
        can_be_queried: true,
    };
    let listed = |candidates| {
        Some(Request::Tasks {
            list: 0,
            candidates,
        })
    };
    assert_eq!(
        choose(&[task(0.6), task(0.7)], two, true),
        listed(vec![1, 0])
    );
    let three = [task(0.7), task(0.6), task(0.8)];
    assert_eq!(choose(&three, two, true), listed(vec![2, 0]));
}

proptest! {
    /// However the tasks are spread, a request is worth what its tasks are worth, and the best one is sent.
    #[test]
    fn no_request_is_worth_more_than_the_chosen_one(
        tasks in vec((option::of(0..3_usize), option::of(0..3_000_usize), 0.0..0.2), 0..300),
        max_ids in 0..40_usize,
    ) {
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|(list, position, worth)| Candidate { position, ..task(list, 0, worth) })
            .collect();
        let lists = Lists { max_ids, ..AVAILABLE };
        let worth = |request: &Request| match request {
            Request::Query(index) => tasks[*index].worth,
            Request::Tasks { candidates, .. } => {
                candidates.iter().map(|index| tasks[*index].worth).sum()
            }
            Request::Page { list, page_num } => tasks
                .iter()
                .filter(|it| it.list == Some(*list))
                .filter(|it| it.position.is_some_and(|position| position / 500 + 1 == *page_num))
                .map(|it| it.worth)
                .sum(),
        };
        let chosen = choose(&tasks, lists, true);
        let chosen_worth = chosen.as_ref().map_or(0.0, worth);
        prop_assert!(chosen.is_none() || chosen_worth >= 1.0 - 1e-9);
        for list in 0..3 {
            for page_num in 1..7 {
                let page = worth(&Request::Page { list, page_num });
                prop_assert!(page < 1.0 || page <= chosen_worth + 1e-9);
            }
        }
        if let Some(Request::Tasks { list, candidates }) = &chosen {
            prop_assert!(candidates.len() <= max_ids);
            prop_assert!(candidates.iter().all(|index| tasks[*index].list == Some(*list)));
        }
    }
}
