//! Which tasks are erased.

use anyhow::{anyhow, ensure};
use seedance_archiver_proto::v1::Manifest;
use seedance_archiver_workflows::request;

use super::args::Args;
use crate::seedance;

/// Selects receipts by their user.
pub(super) struct Selection {
    /// Is not empty, because receipts without a user belong to nobody.
    user: String,
    account: Option<String>,
}

impl Selection {
    /// Returns the selection that the arguments describe.
    pub(super) fn new(args: &Args) -> anyhow::Result<Self> {
        check_user(&args.user)?;
        if let Some(account) = &args.account {
            let checked = request::check_account(account);
            checked.map_err(|error| anyhow!("--account {}", error.problem))?;
        }
        Ok(Self {
            user: args.user.clone(),
            account: args.account.clone(),
        })
    }

    /// Returns whether a receipt is one of the user's.
    pub(super) fn matches(&self, manifest: &Manifest) -> bool {
        self.is_of_user(&manifest.safety_identifier) && self.has_account(manifest)
    }

    /// Returns whether only the record beside a receipt can say whose video it is: those of version 0.1 do not.
    pub(super) fn needs_record(&self, manifest: &Manifest) -> bool {
        manifest.safety_identifier.is_empty()
            && manifest.archiver_version.starts_with("0.1.")
            && self.has_account(manifest)
    }

    pub(super) fn is_of_user(&self, user: &str) -> bool {
        user == self.user
    }

    fn has_account(&self, manifest: &Manifest) -> bool {
        let account = self.account.as_ref();
        account.is_none_or(|account| *account == manifest.account)
    }
}

/// Checks that receipts have an ID as it is: one that they cut would also match those of other users.
fn check_user(user: &str) -> anyhow::Result<()> {
    ensure!(
        !user.is_empty(),
        "--user is empty, and tasks without a `safety_identifier` belong to no user; pass an ID"
    );
    ensure!(
        seedance::safety_identifier(user) == user,
        "--user has {} characters or contains a secret, and receipts have at most 400 characters of an ID and no secrets, \
         so that none is exactly this user's; find the tasks by the `safety_identifier` in `task.json`",
        user.chars().count()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(user: &str, account: Option<&str>) -> anyhow::Result<Selection> {
        Selection::new(&Args {
            user: user.to_owned(),
            account: account.map(str::to_owned),
            confirm: false,
            output: crate::cli::output::Output::Text,
        })
    }

    fn receipt(user: &str) -> Manifest {
        Manifest {
            account: "eu".into(),
            safety_identifier: user.into(),
            ..Manifest::default()
        }
    }

    #[test]
    fn only_exactly_this_user_is_selected() {
        for user in [
            "user-7",
            "*",
            "\"'%_\\",
            "Ünal 🎬",
            " ",
            "--confirm",
            &"x".repeat(400),
        ] {
            let selection = selection(user, None).unwrap();
            assert!(selection.matches(&receipt(user)));
            let others = [
                String::new(),
                format!("{user}0"),
                format!("{user} "),
                format!(" {user}"),
                user.chars().skip(1).collect(),
                user.to_uppercase() + "a",
                "user-70".to_owned(),
            ];
            for other in others {
                assert!(!selection.matches(&receipt(&other)), "{other}");
            }
        }
        assert!(
            selection("user-7", Some("eu"))
                .unwrap()
                .matches(&receipt("user-7"))
        );
        assert!(
            !selection("user-7", Some("us"))
                .unwrap()
                .matches(&receipt("user-7"))
        );
    }

    /// A receipt of a later version without a user is that of a task without one.
    #[test]
    fn only_receipts_of_version_0_1_need_their_record() {
        let selection = selection("user-7", Some("eu")).unwrap();
        let of_version = |version: &str, user: &str| Manifest {
            archiver_version: version.to_owned(),
            ..receipt(user)
        };
        for version in ["0.1.0", "0.1.7"] {
            assert!(selection.needs_record(&of_version(version, "")));
            assert!(!selection.needs_record(&of_version(version, "user-7")));
            let of_another_account = Manifest {
                account: "us".into(),
                ..of_version(version, "")
            };
            assert!(!selection.needs_record(&of_another_account));
        }
        for version in [env!("CARGO_PKG_VERSION"), "0.2.0", "0.10.0", "1.0.1", ""] {
            let receipt = of_version(version, "");
            assert!(!selection.needs_record(&receipt), "{version}");
            assert!(!selection.matches(&receipt), "{version}");
        }
    }

    #[test]
    fn a_user_whom_no_receipt_names_exactly_is_an_error() {
        let error = |user: &str, account| selection(user, account).err().unwrap().to_string();
        assert!(error("", None).contains("is empty"));
        let long = error(&"x".repeat(65_536), None);
        assert!(
            long.contains("65536 characters") && long.len() < 400,
            "{long}"
        );
        let secret = error("https://name:password@host.example", None);
        assert!(
            secret.contains("secret") && !secret.contains("password@"),
            "{secret}"
        );
        assert!(error("user-7", Some("a/b")).starts_with("--account "));
    }
}
