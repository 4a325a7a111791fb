//! The C++ that travels inside the executable: the bundled runtime, the harness, and what targets are linked with.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use include_dir::{Dir, include_dir};

use super::cache::{Cache, Held};

/// Folders of cpp/ by name. Others are for the executable itself, or for tests.
static FOLDERS: [(&str, Dir<'_>); 5] = [
    ("adapters", include_dir!("$CARGO_MANIFEST_DIR/cpp/adapters")),
    ("bugs", include_dir!("$CARGO_MANIFEST_DIR/cpp/bugs")),
    ("harness", include_dir!("$CARGO_MANIFEST_DIR/cpp/harness")),
    ("runtime", include_dir!("$CARGO_MANIFEST_DIR/cpp/runtime")),
    ("target", include_dir!("$CARGO_MANIFEST_DIR/cpp/target")),
];

/// A file of cpp/ that is read here and not by a compiler.
///
/// # Panics
/// There is none of that name.
#[must_use]
pub fn text(folder: &str, name: &str) -> &'static str {
    let (_, folder) = FOLDERS.iter().find(|(known, _)| *known == folder).expect("a folder of cpp/");
    folder.get_file(name).and_then(|file| file.contents_utf8()).expect("a file of cpp/")
}

/// The directory that holds all of it as `cpp/`.
///
/// # Errors
/// It is not there and cannot be written.
pub fn unpack(cache: &Cache) -> Result<Held> {
    cache.directory(cache.sources().join(&digest()[..16]), |directory| {
        FOLDERS.iter().try_for_each(|(name, folder)| write(folder, &directory.join("cpp").join(name)))
    })
}

fn write(folder: &Dir<'_>, place: &Path) -> Result<()> {
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    for file in folder.files() {
        let path = place.join(file.path().file_name().unwrap_or_default());
        fs::write(&path, file.contents()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for inner in folder.dirs() {
        write(inner, &place.join(inner.path().file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn digest() -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, folder) in &FOLDERS {
        hasher.update(name.as_bytes());
        add(folder, &mut hasher);
    }
    hasher.finalize().to_hex().to_string()
}

fn add(folder: &Dir<'_>, hasher: &mut blake3::Hasher) {
    for file in folder.files() {
        hasher.update(file.path().as_os_str().as_encoded_bytes());
        hasher.update(&(file.contents().len() as u64).to_le_bytes());
        hasher.update(file.contents());
    }
    for inner in folder.dirs() {
        add(inner, hasher);
    }
}
