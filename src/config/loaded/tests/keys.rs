//! Keys of the API and those that seal.

use super::*;

#[test]
fn a_key_is_given_by_value_or_in_a_file_but_not_both() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let in_file = ("SEEDANCE_API_KEY_FILE", path);
    assert!(errors(&[in_file, ARCHIVE])[0].ends_with("is empty"));
    std::fs::write(path, "key\n").unwrap();
    assert!(load(&[in_file, ARCHIVE]).is_ok());
    assert_eq!(
        errors(&[KEY, in_file, ARCHIVE]),
        ["SEEDANCE_API_KEY is set together with SEEDANCE_API_KEY_FILE; remove one of them"]
    );
}

#[test]
fn a_key_is_not_printed() {
    let config = load(&[("SEEDANCE_API_KEY", "very-secret"), ARCHIVE]).unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
}

#[test]
fn the_key_that_seals_has_to_be_random() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let variables = [KEY, ARCHIVE, ("SEEDANCE_SEAL_KEYS_FILE", path)];
    std::fs::write(&file, "letmein\n").unwrap();
    let problem = format!(
        "SEEDANCE_SEAL_KEYS_FILE must name a file whose first key is random: the first key in {path} has 7 \
         bytes, at least 32 are needed; insert the output of `openssl rand -base64 32` as the first line, and keep \
         the others, which unseal"
    );
    assert_eq!(errors(&variables), [problem]);

    // What an earlier key sealed stays readable.
    let key = "mGdKXhGhRfXcJzN0x8tWqkq3WQb9dHk1u6oTn2yQm5c=";
    std::fs::write(&file, format!("{key}\nletmein\n")).unwrap();
    load(&variables).unwrap();
}
