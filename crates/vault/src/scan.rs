//! Looking for secrets where they must not be: in files, and in words that go on.
//!
//! The search stands here because secrets may be opened here. It finds a secret as it is, not encoded
//! or compressed; texts shorter than eight bytes are left out, since they turn up by chance.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem::{self, Finder};
use omniroute_domain::Secret;
use zeroize::Zeroizing;

use crate::client_key;

/// Shorter texts turn up by chance.
const SHORTEST: usize = 8;
/// How much of a file is looked at in one go.
const WINDOW: usize = 1 << 20;
const REDACTED: &str = "[redacted]";

/// A secret to look for, and what it is called where it is found.
pub struct Wanted {
    /// What it is, e.g. an account's id. No part of the secret.
    pub label: String,
    /// The secret.
    pub secret: Secret,
}

/// A secret in the clear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, below the folder that was looked through.
    pub file: PathBuf,
    /// What was found: a label, or the beginning of a client key.
    pub label: String,
}

/// What a search came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files looked through.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Secrets in the clear, each file and secret once.
    pub findings: BTreeSet<Finding>,
    /// Files that could not be read.
    pub unread: Vec<PathBuf>,
    /// Labels of secrets too short to be looked for.
    pub too_short: Vec<String>,
}

/// Looks through all files below a folder for secrets, and for client keys by their hashes. Links are
/// not followed.
pub fn scan(folder: &Path, wanted: &[Wanted], client_keys: &HashSet<[u8; 32]>) -> Report {
    let (long, short): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|wanted| text(wanted).len() >= SHORTEST);
    let needles: Vec<Needle<'_>> =
        long.into_iter().map(|wanted| Needle { label: &wanted.label, finder: Finder::new(text(wanted)) }).collect();
    let longest = needles.iter().map(|needle| needle.finder.needle().len()).max().unwrap_or(0);
    let search = Search { needles, client_keys, overlap: longest.max(client_key::WHOLE_LENGTH) };
    let mut report =
        Report { too_short: short.iter().map(|wanted| wanted.label.clone()).collect(), ..Report::default() };
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            report.unread.push(below(folder, &next));
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => search.look_into(&entry.path(), folder, &mut report),
                Ok(_) | Err(_) => {}
            }
        }
    }
    report
}

/// A text without a secret that somebody else may have put into it.
pub fn redact(text: &str, secret: &Secret) -> String {
    let secret = secret.expose().trim();
    if secret.len() < SHORTEST { text.to_owned() } else { text.replace(secret, REDACTED) }
}

fn text(wanted: &Wanted) -> &str {
    wanted.secret.expose().trim()
}

fn below(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

struct Needle<'a> {
    label: &'a str,
    finder: Finder<'a>,
}

struct Search<'a> {
    needles: Vec<Needle<'a>>,
    client_keys: &'a HashSet<[u8; 32]>,
    /// How much of a window is looked at again with the next, so that nothing hides at the border.
    overlap: usize,
}

impl Search<'_> {
    fn look_into(&self, path: &Path, folder: &Path, report: &mut Report) {
        match self.read(path, folder, report) {
            Ok(bytes) => {
                report.files += 1;
                report.bytes += bytes;
            }
            // It went while we looked: there is nothing in it any more.
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(_) => report.unread.push(below(folder, path)),
        }
    }

    fn read(&self, path: &Path, folder: &Path, report: &mut Report) -> io::Result<u64> {
        let mut file = File::open(path)?;
        let mut window = Zeroizing::new(Vec::with_capacity(WINDOW + self.overlap));
        let mut total = 0;
        loop {
            let read = file.by_ref().take(WINDOW as u64).read_to_end(&mut window)?;
            total += read as u64;
            for label in self.find(&window) {
                report.findings.insert(Finding { file: below(folder, path), label });
            }
            if read == 0 {
                return Ok(total);
            }
            let keep_from = window.len().saturating_sub(self.overlap);
            window.drain(..keep_from);
        }
    }

    fn find(&self, window: &[u8]) -> Vec<String> {
        let found = self.needles.iter().filter(|needle| needle.finder.find(window).is_some());
        let mut labels: Vec<String> = found.map(|needle| needle.label.to_owned()).collect();
        for at in memmem::find_iter(window, client_key::PREFIX.as_bytes()) {
            let Some(key) = window.get(at..at + client_key::WHOLE_LENGTH) else { continue };
            if self.client_keys.contains(&client_key::hash(key)) {
                let shown = key.get(..client_key::SHOWN_PREFIX).unwrap_or_default();
                labels.push(format!("client key {}", String::from_utf8_lossy(shown)));
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use omniroute_domain::Secret;

    use super::{Wanted, redact, scan};
    use crate::client_key;

    fn wanted(label: &str, secret: &str) -> Wanted {
        Wanted { label: label.into(), secret: Secret::new(secret.into()) }
    }

    #[test]
    fn a_secret_is_found_wherever_it_lies_and_named_by_its_label() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("backups")).unwrap();
        let mut large = vec![b'x'; super::WINDOW - 5];
        large.extend_from_slice(b"sk-across-the-border");
        fs::write(folder.path().join("backups/large"), large).unwrap();
        fs::write(folder.path().join("clean"), "sk-across-the").unwrap();
        let report =
            scan(folder.path(), &[wanted("account a", "sk-across-the-border"), wanted("b", "x")], &HashSet::new());
        let found: Vec<_> =
            report.findings.iter().map(|found| (found.file.to_str().unwrap(), found.label.as_str())).collect();
        assert_eq!(found, [("backups/large", "account a")]);
        assert_eq!((report.files, report.too_short.as_slice(), report.unread.len()), (2, &["b".to_owned()][..], 0));
    }

    #[test]
    fn a_client_key_is_found_by_its_hash_and_a_foreign_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, foreign) = (client_key::issue().unwrap(), client_key::issue().unwrap());
        let (hash, prefix) = (ours.hash, ours.prefix.clone());
        fs::write(folder.path().join("a"), format!("{} {}", foreign.show_once(), ours.show_once())).unwrap();
        let report = scan(folder.path(), &[], &HashSet::from([hash]));
        let labels: Vec<_> = report.findings.into_iter().map(|found| found.label).collect();
        assert_eq!(labels, [format!("client key {prefix}")]);
    }

    #[test]
    fn words_that_go_on_lose_the_secret() {
        let secret = Secret::new(" sk-0123456789 ".into());
        assert_eq!(redact("bad key sk-0123456789!", &secret), "bad key [redacted]!");
        assert_eq!(redact("a text", &Secret::new("a".into())), "a text", "too short to tell from chance");
    }
}
