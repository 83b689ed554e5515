//! One file a mail: a folder of `.eml` files, or a Maildir (<https://cr.yp.to/proto/maildir.html>).

use std::ffi::OsStr;
use std::fs::{DirEntry, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Error, Fault, Found, at, modified, open_regular, summary};
use crate::mailbox::identity::{self, Counted, Digest};

/// How the files are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `.eml` files in the folder itself.
    Eml,
    /// Files in `new` and `cur`; `tmp` belongs to those who deliver.
    Maildir,
}

/// A folder of files.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    kind: Kind,
}

/// Where a mail was found, and what its file looked like then.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: PathBuf,
    size: u64,
    modified: Option<std::time::SystemTime>,
}

impl Place {
    fn is_still(&self, metadata: &Metadata) -> bool {
        self.size == metadata.len() && self.modified == metadata.modified().ok()
    }
}

impl Files {
    pub(super) fn new(path: PathBuf, kind: Kind) -> Self {
        Self { path, kind }
    }

    pub(super) fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Eml => "folder of .eml files",
            Kind::Maildir => "Maildir",
        };
        format!("{kind} {}", self.path.display())
    }

    pub(super) fn scan(&self) -> Result<Vec<Found>, Error> {
        let mut mails = Vec::new();
        for entry in self.entries()? {
            match self.found(&entry.path()) {
                Ok(mail) => mails.extend(mail),
                // Deleted, or renamed by a mail program: the next run finds it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => mails.push(self.unreadable(&entry, &error)),
            }
        }
        Ok(mails)
    }

    /// The bytes of a mail and their digest. Bytes beyond `limit` are not read.
    pub(super) fn read(&self, place: &Place, limit: u64) -> io::Result<(Vec<u8>, Digest)> {
        let file = match open_regular(&place.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                open_regular(&self.renamed(place)?)?
            }
            other => other?,
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        let digest = identity::digest(&bytes, Counted::All);
        Ok((bytes, digest))
    }

    /// Removes the files, but none that has become another one. The first failure is told
    /// after all have been tried.
    pub(super) fn delete<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<(), Error> {
        let mut failure = None;
        for place in places {
            let removed = match remove(place, &place.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.renamed(place).and_then(|path| remove(place, &path))
                }
                other => other,
            };
            match removed {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    failure.get_or_insert(Error::Refused {
                        server: place.path.display().to_string(),
                        command: "its deletion".to_owned(),
                        answer: error.to_string(),
                    });
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// What may be mails, by name alone.
    fn entries(&self) -> Result<Vec<DirEntry>, Error> {
        let folders = match self.kind {
            Kind::Eml => vec![self.path.clone()],
            Kind::Maildir => vec![self.path.join("new"), self.path.join("cur")],
        };
        let mut entries = Vec::new();
        for folder in folders {
            let listed =
                std::fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            entries.extend(listed.map_err(|source| at(&folder, source))?);
        }
        entries.retain(|entry| self.may_be_mail(&entry.file_name()));
        Ok(entries)
    }

    fn may_be_mail(&self, name: &OsStr) -> bool {
        match self.kind {
            Kind::Eml => Path::new(name)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("eml")),
            Kind::Maildir => !name.as_encoded_bytes().starts_with(b"."),
        }
    }

    /// `None` for what is no file.
    fn found(&self, path: &Path) -> io::Result<Option<Found>> {
        if std::fs::metadata(path)?.is_file() {
            let file = open_regular(path)?;
            let metadata = file.metadata()?;
            let read = identity::examine(file, Counted::All)?;
            let id = identity::of_file(self.lasting_name(path), read.size, &read.digest);
            let summary = summary(id.clone(), &read.start, read.size, modified(&metadata));
            let place = Place {
                path: path.to_owned(),
                size: metadata.len(),
                modified: metadata.modified().ok(),
            };
            return Ok(Some(Found {
                id,
                received: summary.received,
                order: (path.to_owned(), 0),
                place: super::Place::File(place),
                content: Ok((summary, read.digest)),
            }));
        }
        Ok(None)
    }

    /// A mail that can't be read; it has another id once it can.
    fn unreadable(&self, entry: &DirEntry, error: &io::Error) -> Found {
        let path = entry.path();
        let metadata = entry.metadata().ok();
        let size = metadata.as_ref().map_or(0, Metadata::len);
        let received = metadata
            .as_ref()
            .map_or(chrono::DateTime::UNIX_EPOCH, modified);
        let place = Place {
            path: path.clone(),
            size,
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
        };
        Found {
            id: identity::of_file(self.lasting_name(&path), size, &Digest::default()),
            received,
            order: (path.clone(), 0),
            place: super::Place::File(place),
            content: Err(Fault::Unreadable(format!("{}: {error}", path.display()))),
        }
    }

    /// The file's name without the flags, which a Maildir keeps in it (`:2,S`; `;` or `!`
    /// where the system forbids the colon).
    fn lasting_name<'a>(&self, path: &'a Path) -> &'a [u8] {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if self.kind == Kind::Eml {
            return name;
        }
        let flags = name
            .windows(3)
            .rposition(|window| matches!(window, [b':' | b';' | b'!', b'2', b',']));
        flags.and_then(|at| name.get(..at)).unwrap_or(name)
    }

    /// Where a mail of a Maildir is after a mail program has moved or flagged it.
    fn renamed(&self, place: &Place) -> io::Result<PathBuf> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        if self.kind == Kind::Eml {
            return Err(gone());
        }
        let entries = self.entries().map_err(io::Error::other)?;
        let same = |path: &PathBuf| self.lasting_name(path) == self.lasting_name(&place.path);
        entries
            .iter()
            .map(DirEntry::path)
            .find(same)
            .ok_or_else(gone)
    }
}

fn remove(place: &Place, path: &Path) -> io::Result<()> {
    // A link leads to the same file as when it was found.
    if place.is_still(&std::fs::metadata(path)?) {
        return crate::durable::remove(path);
    }
    // Another mail stands there now; the one that was meant is gone.
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{listed, opened, raw, subjects};
    use crate::mailbox::{MailId, Mailbox};
    use crate::message::Fault;

    #[test]
    fn a_maildir_keeps_its_ids_when_mails_are_moved_and_flagged() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["new", "cur", "tmp"] {
            fs::create_dir(path(name)).unwrap();
        }
        let one = "Subject: one\nDate: 1 Oct 2026 10:00 +0000\n\ntext\n";
        let two = "Subject: two\nDate: 2 Oct 2026 10:00 +0000\n\ntext\n";
        fs::write(path("new/1.M1.host"), one).unwrap();
        fs::write(path("cur/2.M2.host:2,"), two).unwrap();
        fs::write(path("cur/.hidden"), two).unwrap();
        fs::write(path("tmp/3"), two).unwrap();
        let mut mailbox = opened(folder.path());
        let ids = listed(&mut mailbox);
        assert_eq!(ids.len(), 2);

        fs::rename(path("new/1.M1.host"), path("cur/1.M1.host:2,FS")).unwrap();
        assert_eq!(listed(&mut opened(folder.path())), ids);
        assert_eq!(raw(&mut mailbox, &ids[..1]), [Ok(one.to_owned())]);
        assert_eq!(mailbox.delete(&ids[..1]).unwrap().deleted, ids[..1]);
        assert!(!path("cur/1.M1.host:2,FS").exists());
        assert_eq!(subjects(&mut mailbox), ["two"]);
    }

    #[test]
    fn exactly_the_named_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, subject: &str| {
            let text = format!("Subject: {subject}\nDate: 1 Oct 2026 10:00 +0000\n\n");
            fs::write(folder.path().join(name), text).unwrap();
        };
        write("a.eml", "a");
        write("b.eml", "b");
        write("c.eml", "c");
        let mut mailbox = opened(folder.path());
        let ids = listed(&mut mailbox);
        write("b.eml", "another mail in the place of b");
        let wanted = [ids[0].clone(), ids[1].clone(), MailId::new("gone")];
        assert_eq!(mailbox.delete(&wanted).unwrap().deleted, wanted);
        assert_eq!(
            subjects(&mut mailbox),
            ["another mail in the place of b", "c"]
        );
    }

    #[test]
    fn a_changed_file_is_not_handed_out_for_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.eml");
        fs::write(&path, "Subject: a\n\n").unwrap();
        let mut mailbox = opened(folder.path());
        let ids = listed(&mut mailbox);
        fs::write(&path, "Subject: b\n\n").unwrap();
        assert!(matches!(
            &raw(&mut mailbox, &ids)[..],
            [Err(Fault::Unreadable(_))]
        ));
        fs::remove_file(&path).unwrap();
        assert_eq!(raw(&mut mailbox, &ids), []);
    }

    #[cfg(unix)]
    #[test]
    fn links_devices_and_broken_files() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), "Subject: linked\n\n").unwrap();
        symlink(outside.path(), path("link.eml")).unwrap();
        symlink("/dev/zero", path("zero.eml")).unwrap();
        symlink(folder.path(), path("folder.eml")).unwrap();
        symlink("nowhere", path("dangling.eml")).unwrap();
        symlink("loop.eml", path("loop.eml")).unwrap();
        let _pipe = UnixListener::bind(path("pipe.eml")).unwrap();
        let mut mailbox = opened(folder.path());
        let mut subjects = subjects(&mut mailbox);
        subjects.sort();
        assert_eq!(subjects.len(), 2, "{subjects:?}");
        assert!(
            subjects[0].starts_with("it can't be read: ") && subjects[0].contains("loop.eml"),
            "{subjects:?}"
        );
        assert_eq!(subjects[1], "linked");

        // The link goes, the file that it leads to stays; the failure is told.
        let ids = listed(&mut mailbox);
        let error = mailbox.delete(&ids).unwrap_err();
        assert!(error.to_string().contains("loop.eml"), "{error}");
        assert!(outside.path().exists());
        assert!(!path("link.eml").exists());
    }
}
