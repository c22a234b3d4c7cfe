//! The procedures of `docs/disasters.md`, one below each heading. A test takes the steps and their commands out of the
//! text in order, and executes them. It quotes each sentence where it executes it. A changed sentence is not quoted, so
//! all tests of its procedure fail until somebody checks whether they still do what the text says.

use std::{collections::VecDeque, sync::Arc};

use anyhow::{Context, anyhow, bail, ensure};

use super::not_executed::NOT_EXECUTED;
use crate::harness::{Server, register};

const TEXT: &str = include_str!("../../../docs/disasters.md");
/// The tests, which name the procedure that they execute.
const TESTS: [&str; 10] = [
    include_str!("key_rotation.rs"),
    include_str!("lost_history.rs"),
    include_str!("moved_bucket.rs"),
    include_str!("outage.rs"),
    include_str!("partial_outage.rs"),
    include_str!("region_of_api.rs"),
    include_str!("region_of_bucket.rs"),
    include_str!("region_of_workers.rs"),
    include_str!("sweeps.rs"),
    include_str!("temporal_keys.rs"),
];
/// Code in the text that starts with one of these programs, after variables, is a command.
const PROGRAMS: [&str; 5] = ["seedance-archiver", "temporal", "openssl", "aws", "rclone"];

/// A procedure, as far as it is not executed yet.
pub(super) struct Procedure {
    heading: &'static str,
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

    fn sentences(&self) -> impl Iterator<Item = &str> {
        self.words().split_inclusive(". ").map(str::trim_end)
    }
}

fn is_command(code: &str) -> bool {
    let mut words = code.split(' ').skip_while(|word| word.contains('='));
    let program = words.next().unwrap_or_default();
    PROGRAMS.contains(&program) && words.next().is_some()
}

impl Procedure {
    /// Returns the procedure below a heading. Fails if one of its sentences is neither quoted by a test nor in
    /// [`NOT_EXECUTED`].
    pub(super) fn below(heading: &str) -> anyhow::Result<Self> {
        let mut sections = sections().into_iter();
        let section = sections.find(|(name, _)| *name == heading);
        let (heading, rest) =
            section.with_context(|| format!("the text has no heading `{heading}`"))?;
        check_quoted(heading, &rest)?;
        Ok(Self {
            heading,
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

    /// Checks that the text below the heading still has these sentences, which the test executes besides the steps.
    pub(super) fn says(&self, sentences: &str) -> anyhow::Result<()> {
        check_promise(self.heading, sentences)
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

/// Checks that the text below a heading still promises these sentences of one passage.
pub(super) fn check_promise(heading: &str, sentences: &str) -> anyhow::Result<()> {
    passage(heading, sentences).map(drop)
}

/// Returns the only command of the passage below a heading that has these sentences.
pub(super) fn command_of(heading: &str, sentences: &str) -> anyhow::Result<String> {
    let commands = passage(heading, sentences)?.commands();
    let [command] = <[String; 1]>::try_from(Vec::from(commands))
        .map_err(|commands| anyhow!("not one command: {commands:?}"))?;
    Ok(command)
}

fn passage(heading: &str, sentences: &str) -> anyhow::Result<Passage> {
    let mut passages = Procedure::below(heading)?.rest.into_iter();
    let passage = passages.find(|passage| passage.words().contains(sentences));
    passage.with_context(|| format!("`{heading}` does not say: {sentences}"))
}

/// Checks that a test quotes each sentence below a heading.
fn check_quoted(heading: &str, passages: &[Passage]) -> anyhow::Result<()> {
    let tests = TESTS.map(on_one_line);
    for sentence in passages.iter().flat_map(Passage::sentences) {
        let is_quoted = tests.iter().any(|test| test.contains(sentence));
        ensure!(
            is_quoted || NOT_EXECUTED.contains(&sentence),
            "no test quotes this sentence of `{heading}`: {sentence}"
        );
    }
    Ok(())
}

/// Returns the code of a test, with each string literal on one line.
fn on_one_line(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let code: Vec<_> = lines
        .filter(|line| !line.starts_with("//"))
        .map(|line| line.trim_end_matches('\\').trim_end())
        .collect();
    code.join(" ").replace("\\\"", "\"")
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
        let is_empty = |text: &str| text.is_empty() || text.starts_with("|---");
        let texts = texts.into_iter().filter(|text| !is_empty(text));
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

async fn a_sentence_is_either_executed_or_listed_as_not_executed(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let sections = sections();
    let tests = TESTS.map(on_one_line);
    for sentence in NOT_EXECUTED {
        let mut passages = sections.iter().flat_map(|(_, passages)| passages);
        let is_in_text = passages.any(|passage| passage.sentences().any(|it| it == *sentence));
        ensure!(is_in_text, "the text does not say: {sentence}");
        let is_quoted = tests.iter().any(|test| test.contains(sentence));
        ensure!(!is_quoted, "a test executes: {sentence}");
    }
    Ok(())
}
register!(a_sentence_is_either_executed_or_listed_as_not_executed);
