//! The files of the repository: what is made by programs, fetched by them or taken over from others is left out.

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use proc_macro2::TokenStream;

/// Folders and files that git ignores, and git's own.
const NOT_OURS: [&str; 8] = [
    ".git",
    "target",
    "node_modules",
    "__pycache__",
    "venv",
    "sealwright-data",
    "sealwright-quickstart",
    "proptest-regressions",
];

/// What programs write, and texts of others.
const GENERATED: [&str; 4] = ["Cargo.lock", "package-lock.json", "LICENSE", "rapidoc-LICENSE.txt"];

pub(crate) struct TextFile {
    /// Below the top of the repository, such as `src/main.rs`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, its)| its == extension)
    }
}

pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: TokenStream,
}

impl RustFile {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let tokens = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse2(self.tokens.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }
}

pub(crate) struct Repository(Vec<TextFile>);

impl Repository {
    pub(crate) fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        let mut folders = vec![top.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let (name, kind) = (entry.file_name().into_string().unwrap(), entry.file_type().unwrap());
                if NOT_OURS.contains(&name.as_str()) || GENERATED.contains(&name.as_str()) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let path = entry.path().strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
                    // What is not text, such as compressed assets, has no lines.
                    if let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap()) {
                        files.push(TextFile { path, text });
                    }
                }
            }
        }
        assert!(files.len() > 100, "only {} files found", files.len());
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self(files)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &TextFile> {
        self.0.iter()
    }

    /// What is not Rust: guides, settings, scripts, SQL, pages.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &TextFile> {
        self.0.iter().filter(|file| !file.is("rs"))
    }

    pub(crate) fn rust_files(&self) -> Vec<RustFile> {
        self.0.iter().filter(|file| file.is("rs")).map(|file| RustFile::parse(&file.path, &file.text)).collect()
    }
}
