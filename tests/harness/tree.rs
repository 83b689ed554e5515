//! A folder with all that is in it, to be compared with itself later.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file (with its bytes) and folder (`None`) below one folder, by relative path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Tree {
    /// Reads everything below a folder.
    pub fn of(folder: &Path) -> Self {
        Self::without(folder, &[])
    }

    /// Reads everything below a folder but these files and folders in it.
    pub fn without(folder: &Path, left_out: &[&str]) -> Self {
        let mut tree = BTreeMap::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                if left_out.iter().any(|entry| name == Path::new(entry)) {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    tree.insert(name, None);
                    open.push(path);
                } else {
                    tree.insert(name, Some(fs::read(&path).unwrap()));
                }
            }
        }
        Self(tree)
    }

    /// The files whose bytes hold this text.
    pub fn files_holding(&self, text: &[u8]) -> Vec<&Path> {
        let holds = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|window| window == text);
        let files = self
            .0
            .iter()
            .filter_map(|(name, bytes)| Some((name, bytes.as_ref()?)));
        files
            .filter(|(_, bytes)| holds(bytes))
            .map(|(name, _)| name.as_path())
            .collect()
    }

    /// The relative paths of the files, with `/` on every system.
    pub fn files(&self) -> Vec<String> {
        let files = self.0.iter().filter(|(_, bytes)| bytes.is_some());
        files
            .map(|(name, _)| name.to_string_lossy().replace('\\', "/"))
            .collect()
    }

    /// Nothing was added, removed or changed since `before`.
    #[track_caller]
    pub fn assert_same_as(&self, before: &Self) {
        let names = self.0.keys().chain(before.0.keys());
        let changed: Vec<_> = names
            .filter(|name| self.0.get(*name) != before.0.get(*name))
            .collect();
        assert!(
            changed.is_empty(),
            "these files or folders changed: {changed:?}"
        );
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, bytes) in &self.0 {
            match bytes {
                Some(bytes) => writeln!(f, "{} ({} bytes)", name.display(), bytes.len())?,
                None => writeln!(f, "{}{}", name.display(), std::path::MAIN_SEPARATOR)?,
            }
        }
        Ok(())
    }
}
