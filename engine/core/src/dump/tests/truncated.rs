//! Dumps of others, cut off: as a full disk, a lost connection or an impatient user leaves them.

use super::*;
use crate::exercise;
use crate::shared_data::shared;

/// Prime, so that cuts fall on every place of a record.
const STRIDE: usize = 1009;

/// Opens the first `length` bytes of every dump of others; what is asked of those that open is up to `ask`.
fn every_dump(mut ask: impl FnMut(&Data, usize)) {
    for folder in ["others/breakpad", "others/rust-minidump", "others/symbolic"] {
        let Some(folder) = shared(folder) else { continue };
        for path in dumps_below(&folder) {
            let whole = Data::map(&path).unwrap();
            for length in 0..=whole.len() {
                match Dump::open(whole.part(0, length as u64).unwrap()) {
                    Ok(_) => ask(&whole, length),
                    Err(error) => assert!(!error.to_string().contains('\n'), "{path:?}, {length} bytes: {error}"),
                }
            }
        }
    }
}

fn dumps_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(dumps_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "dmp") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn dumps_open_or_are_refused_in_one_line_wherever_they_end() {
    let mut opened = 0;
    every_dump(|whole, length| {
        opened += 1;
        if length % STRIDE == 0 || length == whole.len() {
            exercise::dump(&whole[..length]);
        }
    });
    assert!(opened == 0 || opened > 1_000_000, "{opened}");
}

#[test]
#[ignore = "takes ten minutes"]
fn dumps_answer_every_question_wherever_they_end() {
    every_dump(|whole, length| exercise::dump(&whole[..length]));
}
