//! The pages of the user interface. They are read into memory once and found by their exact path, so no request can
//! name a file outside; they need no token, and say nothing about the profile.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};

/// What a page may load and talk to: only us. No text becomes an element or code but the templates of Svelte.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types svelte-trusted-html";
/// Where files are that have a hash of their content in their name.
const ASSETS: &str = "/assets/";
/// The first page of a browser that is a guest of one room.
const GUEST_PAGE: &str = "/guest.html";
/// Where the inspector is, and the page of it.
const INSPECTOR: (&str, &str) = ("/inspector", "/inspector.html");
/// More than the pages ever have; a wrong directory is noticed before it fills the memory.
const TOTAL_MAX: usize = 64 * 1024 * 1024;

/// The built pages, by path.
#[derive(Clone, Default)]
pub struct UiFiles {
    files: BTreeMap<String, UiFile>,
}

#[derive(Clone)]
pub(crate) struct UiFile {
    content_type: String,
    cache: &'static str,
    body: Bytes,
}

impl UiFiles {
    /// Reads a directory that has an `index.html`, such as `ui/dist` after a build. Links are not followed.
    ///
    /// # Errors
    /// When it cannot be read, has no `index.html`, or is over 64 MiB.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        let mut total = 0;
        let mut directories = vec![(directory.to_owned(), String::from("/"))];
        while let Some((directory, prefix)) = directories.pop() {
            for entry in std::fs::read_dir(directory)? {
                let entry = entry?;
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    directories.push((entry.path(), format!("{path}/")));
                } else if kind.is_file() {
                    let body = std::fs::read(entry.path())?;
                    total += body.len();
                    if total > TOTAL_MAX {
                        return Err(io::Error::other("more than 64 MiB; this is not the user interface"));
                    }
                    files.add(path, body.into());
                }
            }
        }
        files.with_index()
    }

    /// The pages that were built into this binary, if they were.
    #[must_use]
    pub fn embedded() -> Option<Self> {
        #[cfg(feature = "embedded-ui")]
        {
            static DIST: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../ui/dist");
            let mut files = Self::default();
            let mut directories = vec![&DIST];
            while let Some(directory) = directories.pop() {
                directories.extend(directory.dirs());
                for file in directory.files() {
                    files.add(format!("/{}", file.path().display()), Bytes::from_static(file.contents()));
                }
            }
            files.with_index().ok()
        }
        #[cfg(not(feature = "embedded-ui"))]
        None
    }

    /// What a guest's browser needs of them: its own first page, what that loads, and nothing else. `None` when there is no
    /// such page among them.
    pub(crate) fn for_guests(&self) -> Option<Self> {
        let first = self.files.get(GUEST_PAGE)?.clone();
        let needed = |path: &str| path.starts_with(ASSETS) || path == "/icon.svg";
        let mut files: BTreeMap<_, _> = self
            .files
            .iter()
            .filter(|(path, _)| needed(path))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect();
        files.insert("/".into(), first);
        Some(Self { files })
    }

    /// Pages that are already in memory, by path.
    ///
    /// # Errors
    /// When there is no `index.html` among them.
    pub fn of(pages: impl IntoIterator<Item = (String, Vec<u8>)>) -> io::Result<Self> {
        let mut files = Self::default();
        for (path, body) in pages {
            files.add(path, body.into());
        }
        files.with_index()
    }

    fn with_index(mut self) -> io::Result<Self> {
        let index = self.files.get("/index.html").cloned();
        let index = index.ok_or_else(|| io::Error::other("there is no index.html; build the user interface first"))?;
        self.files.insert("/".into(), index);
        let (path, page) = INSPECTOR;
        if let Some(inspector) = self.files.get(page).cloned() {
            self.files.insert(path.into(), inspector);
        }
        Ok(self)
    }

    fn add(&mut self, path: String, body: Bytes) {
        let mime = mime_guess::from_path(&path).first_or_octet_stream();
        let charset = if mime.type_() == "text" { "; charset=utf-8" } else { "" };
        let cache = if path.starts_with(ASSETS) { "public, max-age=31536000, immutable" } else { "no-cache" };
        self.files.insert(path, UiFile { content_type: format!("{mime}{charset}"), cache, body });
    }

    pub(crate) fn file(&self, path: &str) -> Option<&UiFile> {
        self.files.get(path)
    }
}

impl IntoResponse for UiFile {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.content_type.as_str()),
            (CACHE_CONTROL, self.cache),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
        ];
        (headers, self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_served_by_exact_path_and_its_links_are_not() {
        let outside = tempfile::NamedTempFile::new().expect("a file");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("assets")).expect("a directory");
        std::fs::write(directory.path().join("index.html"), "<!doctype html>").expect("a file");
        std::fs::write(directory.path().join("inspector.html"), "<!doctype html><title>Inside</title>")
            .expect("a file");
        std::fs::write(directory.path().join("assets/app-1a2b.js"), "1").expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), directory.path().join("link.html")).expect("a link");

        let files = UiFiles::read(directory.path()).expect("a user interface");
        assert_eq!(files.file("/").expect("the index").content_type, "text/html; charset=utf-8");
        let inspector = files.file("/inspector").expect("the inspector");
        assert_eq!(inspector.content_type, "text/html; charset=utf-8");
        assert_eq!(inspector.body, files.file("/inspector.html").expect("its page").body);
        assert!(files.file("/assets/app-1a2b.js").expect("a script").content_type.contains("javascript"));
        for path in ["/link.html", "/../index.html", "/assets/../index.html", "/assets", "", "//index.html"] {
            assert!(files.file(path).is_none(), "{path}");
        }
        drop(outside);
    }

    #[test]
    fn a_directory_without_pages_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(UiFiles::read(directory.path()).is_err());
        assert!(UiFiles::read(&directory.path().join("missing")).is_err());
    }
}
