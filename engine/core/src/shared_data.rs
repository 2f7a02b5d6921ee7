//! Where tests find real files of others, which are not part of the repository.

use std::path::{Path, PathBuf};

/// A file of the folder of real data; None, and a word about it, where that is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}
