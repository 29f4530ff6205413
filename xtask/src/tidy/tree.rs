//! The files that the rules look at. Knows which folders are no part of the repository's own
//! text, and no rule.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::code::Comment;

/// Folders whose content nobody here wrote, and the samples, which break rules on purpose.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", ".arcade", "vendor"];
const SAMPLES: &str = "xtask/samples";
/// Cargo marks every target folder with this file, whatever the folder is called.
const CACHE_MARK: &str = "CACHEDIR.TAG";
/// The ends of the names of files that rules read.
const READ: &[&str] =
    &["rs", "toml", "md", "txt", "sh", "js", "mjs", "css", "html", "lua", "sql", "json"];
/// Generated or recorded files are nobody's prose.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file with its path from the root, separated by `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    syntax: Option<syn::File>,
    comments: OnceCell<Vec<Comment>>,
}

impl File {
    /// # Errors
    /// The file is Rust and does not parse.
    pub(crate) fn new(path: String, text: String) -> anyhow::Result<Self> {
        let rust = path.ends_with(".rs").then(|| syn::parse_file(&text)).transpose();
        let syntax = rust.with_context(|| format!("{path} does not parse"))?;
        Ok(File { path, text, syntax, comments: OnceCell::new() })
    }

    /// The parsed file; `None` if it is not Rust.
    pub(crate) fn syntax(&self) -> Option<&syn::File> {
        self.syntax.as_ref()
    }

    /// Its comments that are not documentation; none if it is not Rust.
    pub(crate) fn comments(&self) -> &[Comment] {
        self.comments.get_or_init(|| match self.syntax {
            Some(_) => super::code::comments(&self.text),
            None => Vec::new(),
        })
    }

    /// The last part of its path, without the ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// The text of a line, counted from 1.
    pub(crate) fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim()
    }

    /// Whether it is built for tests only: an integration test.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.stem() == "tests"
    }
}

/// All files of the repository, in the order of their paths.
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    pub(crate) fn of(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Tree { files }
    }

    /// # Errors
    /// A file cannot be read or parsed; names it.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        Ok(Tree::of(files))
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The files in Rust, parsed.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &syn::File)> {
        self.files.iter().filter_map(|file| Some((file, file.syntax()?)))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> anyhow::Result<()> {
    if !prefix.is_empty() && folder.join(CACHE_MARK).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) && path != SAMPLES {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() && is_read(&name) && entry.metadata()?.len() <= FILE_BYTES_MAX {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.push(File::new(path, text)?);
        }
    }
    Ok(())
}

fn is_read(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| READ.contains(&end))
}
