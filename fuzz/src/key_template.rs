//! A template of keys.

use object_store::{memory::InMemory, path::Path};
use seedance_archiver_archive::{
    Archive, KeyTemplate, Layout,
    lookup::{TaskId, find_receipt},
    receipt,
};
use seedance_archiver_proto::{
    names, task_id, time,
    v1::{ArchivedObject, Manifest, VideoTask},
};
use seedance_archiver_seedance::created_at_in_id;
use std::sync::Arc;

use crate::{
    input::{Input, short},
    loopback,
};

/// The prefix of the archive.
const ROOT: &str = "team/videos";

/// A valid template is shown as it was given. The keys that it renders stay under the prefix and out of `.staging/`, have
/// no empty or relative segment, and differ between tasks. The receipt of a task is found by its id.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let account = input.text();
    let model = input.text();
    let id = input.text();
    let created_at = input.number() as i64;
    let text = input.rest_as_text();
    let Ok(template) = text.parse::<KeyTemplate>() else {
        return;
    };
    assert_eq!(template.to_string(), text);
    assert_eq!(text.parse::<KeyTemplate>().unwrap(), template);
    let task = VideoTask {
        id,
        draft: Some(created_at % 2 == 0),
        // Text from outside, as the model is.
        draft_task_id: model.clone(),
        safety_identifier: model.clone(),
        model,
        created_at,
        ..VideoTask::default()
    };
    check_key(&template, &account, &task);
    let other = VideoTask {
        id: format!("{}0", task.id),
        ..task.clone()
    };
    let is_id = |task: &VideoTask| task_id::check(&task.id).is_ok();
    if is_id(&task) && is_id(&other) {
        let keys = [&task, &other].map(|task| layout(&template, &account, task).manifest());
        assert_ne!(keys[0], keys[1]);
        check_lookup(&template, &account, &task);
    }
}

fn layout(template: &KeyTemplate, account: &str, task: &VideoTask) -> Layout {
    Layout::new(&Path::from(ROOT), template, account, task)
}

fn check_key(template: &KeyTemplate, account: &str, task: &VideoTask) {
    let key = layout(template, account, task).manifest();
    let text = key.to_string();
    assert_eq!(Path::parse(&text).unwrap(), key);
    let inside = text
        .strip_prefix(ROOT)
        .and_then(|rest| rest.strip_prefix('/'));
    let inside = inside.unwrap_or_else(|| panic!("{text} is not under {ROOT}"));
    let segments: Vec<_> = inside.split('/').collect();
    assert_eq!(segments.last(), Some(&names::MANIFEST));
    for segment in segments {
        let is_relative = ["", ".", ".."].contains(&segment);
        assert!(
            !is_relative && !segment.eq_ignore_ascii_case(".staging"),
            "{text}"
        );
        assert!(!segment.contains(char::is_control), "{text:?}");
    }
}

/// Writes a receipt of a task whose id contains its creation time, and looks for it.
fn check_lookup(template: &KeyTemplate, account: &str, task: &VideoTask) {
    let Some(created_at) = created_at_in_id(&task.id) else {
        return;
    };
    let task = VideoTask {
        created_at: time::unix_seconds(created_at),
        ..task.clone()
    };
    // A time before 1970 is no creation time.
    if task.created_at <= 0 {
        return;
    }
    let manifest = Manifest {
        task_id: task.id.clone(),
        objects: vec![ArchivedObject {
            name: "video.mp4".into(),
            ..ArchivedObject::default()
        }],
        ..Manifest::default()
    };
    let url = format!("memory:///{ROOT}").parse().unwrap();
    let archive = Archive::from_store(url, Arc::new(InMemory::new()));
    let layout = Layout::new(&archive.root, template, account, &task);
    let id = TaskId {
        account,
        id: &task.id,
        created_at: Some(created_at),
    };
    let found = loopback::run(async {
        receipt::write(&archive, &layout, manifest.clone())
            .await
            .unwrap();
        find_receipt(&archive, template, id).await.unwrap()
    });
    assert_eq!(found, Some(manifest), "{template}");
}

/// Returns templates, with a task for each.
pub fn seeds() -> Vec<Vec<u8>> {
    let templates = [
        "{account}/{created:%Y/%m/%d}/{task_id}",
        "day={created:%F}/{task_id}-{model}/",
        "{account}/dt={created:%Y-%m-%d}/h={created:%H}/{model}/{task_id}",
        ".{model}/.{task_id}/.m",
        "{created:%G-W%V/%j}/{task_id}",
        "{draft}/of={draft_task_id}/{task_id}",
        "{safety_identifier}/{task_id}.{safety_identifier}",
    ];
    let values = [
        ("default", "seedance-1-0-pro", "cgt-20260828062711-hj94q"),
        ("..", ".staging", "cgt-20250101000000-x"),
        ("a/b", "%2e%2e", ".staging"),
    ];
    let seeds = templates.iter().zip(values.iter().cycle());
    let seed = |(template, (account, model, id)): (&&str, &(&str, &str, &str))| {
        let parts = [
            short(account.as_bytes()),
            short(model.as_bytes()),
            short(id.as_bytes()),
        ];
        [
            &parts.concat(),
            &1_787_898_431_i64.to_le_bytes()[..],
            template.as_bytes(),
        ]
        .concat()
    };
    seeds.map(seed).collect()
}
