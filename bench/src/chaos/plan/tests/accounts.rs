use super::*;

#[test]
fn every_account_has_videos_also_in_the_shortest_run() {
    for (videos, length, at_least) in [(24, Duration::from_secs(60), 2), (500, LONG, 40)] {
        let plan = Plan::new(7, videos, length);
        for account in Account::ALL {
            let of_account = plan.videos.iter().filter(|it| it.account() == account);
            let count = of_account.count();
            assert!(count >= at_least, "{account:?}: {count}");
        }
    }
}

#[test]
fn a_list_fails_only_where_there_is_one() {
    let plan = Plan::new(7, 500, LONG);
    let has_none = |fault: &Fault| matches!(fault.kind, Kind::List(Account::WithoutList, _));
    assert!(!plan.faults.iter().any(has_none));
}

#[test]
fn most_answers_and_lists_that_are_wrong_are_of_the_accounts_with_most_videos() {
    let plans: Vec<_> = (1..20).map(|seed| Plan::new(seed, 500, LONG)).collect();
    let count = |of: Account| {
        let faults = plans.iter().flat_map(|plan| &plan.faults);
        let is_of = |fault: &&Fault| match fault.kind {
            Kind::Answer(account, _) | Kind::List(account, _) => account == of,
            _ => false,
        };
        faults.filter(is_of).count()
    };
    let [called, automatic, gateway, without_list] = Account::ALL.map(count);
    assert!(without_list > 0 && gateway > without_list);
    assert!(called.min(automatic) > 2 * gateway);
}
