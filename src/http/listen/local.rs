//! Sockets of this machine, in HOME/run: made with the right mode, a stale one replaced.
//! Never removes a file that is no socket, nor a socket that somebody else makes later.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::app::people::LocalSocket;
use crate::http::listen::error::ListenError;

const MODE: u32 = 0o660;
/// `sun_path` without its closing zero.
const PATH_BYTES_MAX: usize = 107;

/// A listening socket with the file that names it; the file goes when this is dropped, if it is still ours.
pub struct SocketFile {
    pub socket: LocalSocket,
    pub listener: UnixListener,
    path: Option<(PathBuf, u64)>,
}

impl SocketFile {
    /// A socket that somebody else made and will remove.
    pub fn handed(socket: LocalSocket, listener: UnixListener) -> Self {
        Self { socket, listener, path: None }
    }

    /// Makes `<socket>.sock` in a folder. Whoever holds the home's lock is the only one to make sockets in it,
    /// so a socket that is there was left by a process that is gone.
    pub fn bind(folder: &Path, socket: LocalSocket) -> Result<Self, ListenError> {
        let path = folder.join(format!("{}.sock", socket.as_str()));
        if path.as_os_str().len() > PATH_BYTES_MAX {
            return Err(ListenError::LongPath { path, max: PATH_BYTES_MAX });
        }
        let failed = |source| ListenError::Socket { path: path.clone(), source };
        match fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(&path).map_err(failed)?,
            Ok(_) => return Err(ListenError::InTheWay { path }),
            Err(_) => {}
        }
        let listener = StdListener::bind(&path).map_err(failed)?;
        // The folder is closed to everybody else, so nobody comes in before the mode is set.
        fs::set_permissions(&path, fs::Permissions::from_mode(MODE)).map_err(failed)?;
        let inode = fs::symlink_metadata(&path).map_err(failed)?.ino();
        let listener = into_tokio(listener).map_err(failed)?;
        Ok(Self { socket, listener, path: Some((path, inode)) })
    }
}

pub fn into_tokio(listener: StdListener) -> std::io::Result<UnixListener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let Some((path, inode)) = &self.path else { return };
        if fs::symlink_metadata(path).is_ok_and(|found| found.ino() == *inode) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_file_in_the_way_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        drop(StdListener::bind(&path).unwrap());
        let first = SocketFile::bind(folder.path(), LocalSocket::Admin).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        drop(first);
        assert!(!path.exists());
        fs::write(&path, "mine").unwrap();
        let refused = SocketFile::bind(folder.path(), LocalSocket::Admin).err().unwrap();
        assert!(matches!(refused, ListenError::InTheWay { .. }), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn the_socket_of_a_later_server_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = SocketFile::bind(folder.path(), LocalSocket::Sync).unwrap();
        let second = SocketFile::bind(folder.path(), LocalSocket::Sync).unwrap();
        drop(first);
        assert!(folder.path().join("sync.sock").exists());
        drop(second);
        assert!(!folder.path().join("sync.sock").exists());
    }
}
