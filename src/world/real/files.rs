//! Files of this machine: replaced in one step, appended durably, never through a planted symlink.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Real;
use crate::world::{FileKind, Files, Lock};

/// No file zdt has to read is as long as this.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Permission bits of what zdt keeps for itself.
const PRIVATE: u32 = 0o600;

impl Files for Real {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Without NONBLOCK, opening a FIFO that nobody writes to waits for ever.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags(OFlags::NONBLOCK))
            .open(path)?;
        let length = regular(&file, path)?.len();
        if length > LONGEST {
            return Err(too_long(path));
        }
        let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(LONGEST + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LONGEST {
            return Err(too_long(path));
        }
        Ok(content)
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let folder = folder_of(path)?;
        // The name must match none of the patterns that programs include by, such as `*.conf`.
        let mut file = tempfile::Builder::new()
            .prefix(".zdt-")
            .suffix(".tmp")
            .tempfile_in(folder)?;
        file.write_all(content)?;
        if let (Ok(there), Ok(of)) = (fs::symlink_metadata(path), fs::metadata(folder))
            && there.uid() == of.uid()
        {
            // Root gives it back to whom it belonged, where the folder is his as well; for others it is theirs anyway.
            let _ = std::os::unix::fs::fchown(file.as_file(), Some(there.uid()), Some(there.gid()));
        }
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    }

    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options
            .append(true)
            .mode(PRIVATE)
            .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK));
        let (mut file, created) = match options.clone().create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options.open(path).map_err(|error| symlink(error, path))?, false)
            }
            Err(error) => return Err(error),
        };
        regular(&file, path)?;
        file.write_all(content)?;
        file.sync_data()?;
        if created { sync_folder(folder_of(path)?) } else { Ok(()) }
    }

    fn create_dir_all(&self, path: &Path, mode: u32) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().create(path) {
            Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
            Err(_) if path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Ok(()) => sync_folder(folder_of(path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        use io::ErrorKind::{NotADirectory, NotFound};
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(match metadata.file_type() {
            kind if kind.is_file() => FileKind::File {
                mode: metadata.mode() & 0o7777,
                len: metadata.len(),
            },
            kind if kind.is_dir() => FileKind::Folder,
            kind if kind.is_symlink() => FileKind::Symlink,
            _ => FileKind::Other,
        }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
            .open(path)
            .map_err(|error| symlink(error, path))?;
        let locked = regular(&file, path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Somebody may have put another file there in between; a lock on the old one excludes nobody.
        let there = fs::symlink_metadata(path)?;
        let same = (there.dev(), there.ino()) == (locked.dev(), locked.ino());
        // What was seen before may be what its last holder has changed since.
        self.moment.over();
        Ok(same.then_some(Lock { file: Some(file) }))
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        // What is asked about may not be there yet: its nearest folder lies on the same file system.
        let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
        let system = rustix::fs::statvfs(existing)?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

fn flags(flags: OFlags) -> i32 {
    flags.bits() as i32
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent()
        .filter(|_| path.file_name().is_some())
        .ok_or_else(|| invalid(format!("`{}` is not the path of a file", path.display())))
}

/// A rename or a new name is on disk only when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn regular(file: &File, path: &Path) -> io::Result<Metadata> {
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok(metadata),
        false => Err(invalid(format!("`{}` is not a regular file", path.display()))),
    }
}

fn symlink(error: io::Error, path: &Path) -> io::Error {
    match error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        true => invalid(format!("`{}` is a symlink, which is not followed", path.display())),
        false => error,
    }
}

fn too_long(path: &Path) -> io::Error {
    let text = format!("`{}` is longer than 64 MiB", path.display());
    io::Error::new(io::ErrorKind::FileTooLarge, text)
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
