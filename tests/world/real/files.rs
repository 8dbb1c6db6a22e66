//! Files of this machine.

use super::*;

#[test]
fn writing_replaces_the_file_and_never_what_a_link_names() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link.conf"));
    fs::write(&target, "mine").unwrap();
    symlink(&target, &link).unwrap();

    assert_eq!(world.kind(&link).unwrap(), Some(FileKind::Symlink));
    assert!(world.append(&link, b"x").is_err());
    assert!(world.try_lock(&link).is_err());
    world.write(&link, b"new", 0o640).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    assert_eq!(world.kind(&link).unwrap(), Some(FileKind::File { mode: 0o640, len: 3 }));
    assert_eq!(world.list(folder.path()).unwrap(), ["link.conf", "target"]);

    symlink(folder.path().join("nowhere"), folder.path().join("dangling")).unwrap();
    assert!(world.append(&folder.path().join("dangling"), b"x").is_err());
    assert_eq!(world.kind(&folder.path().join("nowhere")).unwrap(), None);
}

#[test]
fn files_and_folders() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let (deep, log) = (folder.path().join("a/b"), folder.path().join("a/b/log"));
    world.create_dir_all(&deep, 0o700).unwrap();
    world.create_dir_all(&deep, 0o755).unwrap();
    assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o700);
    world.append(&log, b"one\n").unwrap();
    world.append(&log, b"two\n").unwrap();
    assert_eq!(world.read(&log).unwrap(), b"one\ntwo\n");
    assert_eq!(world.kind(&log).unwrap(), Some(FileKind::File { mode: 0o600, len: 8 }));
    assert_eq!(world.kind(&log.join("below")).unwrap(), None);
    assert_eq!(world.kind(&deep).unwrap(), Some(FileKind::Folder));
    world.remove(&log).unwrap();
    world.remove(&log).unwrap();
    assert_eq!(world.list(&deep).unwrap(), [] as [&str; 0]);
    assert_eq!(world.list(&log).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert!(world.free_space(&deep.join("not/there/yet")).unwrap() > 0);
}

#[test]
fn only_regular_files_of_sane_length_are_read() {
    let world = Real::new();
    let folder = tempfile::tempdir().unwrap();
    let (pipe, huge) = (folder.path().join("pipe"), folder.path().join("huge"));
    assert!(
        world
            .run(&Command::new("mkfifo", [pipe.to_str().unwrap()]))
            .unwrap()
            .success()
    );
    assert!(world.read(&pipe).is_err());
    assert!(world.append(&pipe, b"x").is_err());
    assert!(world.read(folder.path()).is_err());
    fs::File::create(&huge).unwrap().set_len(65 * 1024 * 1024).unwrap();
    assert_eq!(world.read(&huge).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
}
