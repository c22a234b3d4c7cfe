//! The procedures of `docs/disasters.md`, one below each heading. A test takes the steps and their commands out of the
//! text in order, and executes them.

use std::{collections::VecDeque, sync::Arc};

use anyhow::{Context, anyhow, bail, ensure};

use crate::harness::{Server, register};

const TEXT: &str = include_str!("../../../docs/disasters.md");
/// The tests, which name the procedure that they execute.
const TESTS: [&str; 6] = [
    include_str!("key_rotation.rs"),
    include_str!("lost_history.rs"),
    include_str!("moved_bucket.rs"),
    include_str!("outage.rs"),
    include_str!("region_gone.rs"),
    include_str!("temporal_keys.rs"),
];
/// Code in the text that starts with one of these programs, after variables, is a command.
const PROGRAMS: [&str; 5] = ["seedance-archiver", "temporal", "openssl", "aws", "rclone"];

/// A procedure, as far as it is not executed yet.
pub(super) struct Procedure {
    rest: VecDeque<Passage>,
    /// Commands of the current passage.
    commands: VecDeque<String>,
}

/// A numbered step, a paragraph or a row of a table.
struct Passage {
    text: String,
    is_step: bool,
}

impl Passage {
    fn commands(&self) -> VecDeque<String> {
        let code = self.text.split('`').skip(1).step_by(2);
        code.filter(|code| is_command(code))
            .map(str::to_owned)
            .collect()
    }

    /// Returns the text without the number of the step.
    fn words(&self) -> &str {
        match self.text.split_once(". ") {
            Some((_number, words)) if self.is_step => words,
            _ => &self.text,
        }
    }
}

fn is_command(code: &str) -> bool {
    let mut words = code.split(' ').skip_while(|word| word.contains('='));
    let program = words.next().unwrap_or_default();
    PROGRAMS.contains(&program) && words.next().is_some()
}

impl Procedure {
    /// Returns the procedure below a heading.
    pub(super) fn below(heading: &str) -> anyhow::Result<Self> {
        let mut sections = sections().into_iter();
        let section = sections.find(|(name, _)| *name == heading);
        let (_, rest) = section.with_context(|| format!("the text has no heading `{heading}`"))?;
        Ok(Self {
            rest: rest.into(),
            commands: VecDeque::new(),
        })
    }

    /// Continues with the next step, which starts with these words. Fails if the text has another step or command before
    /// it.
    pub(super) fn step(&mut self, start: &str) -> anyhow::Result<()> {
        self.finish_passage()?;
        while let Some(passage) = self.rest.pop_front() {
            if passage.words().starts_with(start) {
                self.commands = passage.commands();
                return Ok(());
            }
            check_not_left_out(&passage)?;
        }
        bail!("the text has no step that starts with `{start}` here")
    }

    /// Leaves out the next step, as the text allows.
    pub(super) fn skip(&mut self, start: &str) -> anyhow::Result<()> {
        self.step(start)?;
        self.commands.clear();
        Ok(())
    }

    /// Returns the next command of the step.
    pub(super) fn command(&mut self) -> anyhow::Result<String> {
        let command = self.commands.pop_front();
        command.context("the step in the text has no further command")
    }

    /// Checks that nothing of the procedure was left out.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.finish_passage()?;
        self.rest.iter().try_for_each(check_not_left_out)
    }

    fn finish_passage(&mut self) -> anyhow::Result<()> {
        let left_out = self.commands.pop_front();
        ensure!(
            left_out.is_none(),
            "the test does not run `{}`",
            left_out.unwrap_or_default()
        );
        Ok(())
    }
}

/// Checks that the text below a heading still promises what a test checks besides the steps: that one of its passages starts
/// with these words.
pub(super) fn check_promise(heading: &str, start: &str) -> anyhow::Result<()> {
    passage(heading, start).map(drop)
}

/// Returns the only command of the passage below a heading that starts with these words.
pub(super) fn command_of(heading: &str, start: &str) -> anyhow::Result<String> {
    let commands = passage(heading, start)?.commands();
    let [command] = <[String; 1]>::try_from(Vec::from(commands))
        .map_err(|commands| anyhow!("not one command: {commands:?}"))?;
    Ok(command)
}

fn passage(heading: &str, start: &str) -> anyhow::Result<Passage> {
    let mut passages = Procedure::below(heading)?.rest.into_iter();
    let passage = passages.find(|passage| passage.words().starts_with(start));
    passage.with_context(|| format!("`{heading}` does not say: {start}"))
}

fn check_not_left_out(passage: &Passage) -> anyhow::Result<()> {
    let text = &passage.text;
    ensure!(!passage.is_step, "the test leaves out the step: {text}");
    let commands = passage.commands();
    ensure!(
        commands.is_empty(),
        "the test leaves out a command of: {text}"
    );
    Ok(())
}

/// Returns the headings of the text with what is directly below each.
fn sections() -> Vec<(&'static str, Vec<Passage>)> {
    let mut sections = Vec::new();
    for line in TEXT.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('#') {
            sections.push((heading.trim_start_matches('#').trim(), vec![String::new()]));
        } else if let Some((_, passages)) = sections.last_mut() {
            let is_row = line.starts_with('|');
            match passages.last_mut() {
                Some(passage) if !line.is_empty() && !is_row && !is_step(line) => {
                    let space = if passage.is_empty() { "" } else { " " };
                    *passage += &format!("{space}{line}");
                }
                _ => passages.push(line.to_owned()),
            }
        }
    }
    let passage = |text: String| Passage {
        is_step: is_step(&text),
        text,
    };
    let passages = |texts: Vec<String>| {
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        texts.map(passage).collect()
    };
    sections
        .into_iter()
        .map(|(heading, texts)| (heading, passages(texts)))
        .collect()
}

/// Returns whether a line starts with a number and a full stop.
fn is_step(line: &str) -> bool {
    let number = line.split_once(". ").map(|(number, _)| number);
    number.is_some_and(|number| number.parse::<u8>().is_ok())
}

/// The first section is the overview.
async fn every_procedure_is_executed_by_a_test(_: Arc<Server>) -> anyhow::Result<()> {
    let sections = sections();
    let procedures = sections.iter().skip(1).filter(|(_, it)| !it.is_empty());
    let mut count = 0;
    for (heading, _) in procedures {
        let call = format!("Procedure::below(\"{heading}\")");
        let is_executed = TESTS.iter().any(|test| test.contains(&call));
        ensure!(is_executed, "no test executes `{heading}`");
        count += 1;
    }
    ensure!(count > 0, "the text has no procedures");
    Ok(())
}
register!(every_procedure_is_executed_by_a_test);
