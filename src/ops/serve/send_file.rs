//! Sends a range of a file to a client, with as few copies as the system allows.

use std::fs::File;
use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::archive::Extent;

/// Sends the bytes of `extent` in `file` without a copy in this process (`sendfile`).
///
/// # Errors
/// When the client closes the connection or accepts no bytes for `patience`, or the file is
/// shorter.
#[cfg(target_os = "linux")]
pub async fn send(socket: &mut TcpStream, file: File, extent: &Extent, patience: Duration) -> io::Result<()> {
    /// The number of bytes that are sent at once, so that one client does not delay others.
    const PIECE: u64 = 1 << 20;
    let (mut at, end) = (extent.start, extent.start + extent.size);
    while at < end {
        let length = (end - at).min(PIECE) as usize;
        let piece = socket.async_io(tokio::io::Interest::WRITABLE, || {
            rustix::fs::sendfile(&*socket, &file, Some(&mut at), length).map_err(io::Error::from)
        });
        if timeout(patience, piece).await?? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Sends the bytes of `extent` in `file`.
///
/// # Errors
/// When the client closes the connection or accepts no bytes for `patience`, or the file is
/// shorter.
#[cfg(not(target_os = "linux"))]
pub async fn send(socket: &mut TcpStream, file: File, extent: &Extent, patience: Duration) -> io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

    /// The number of bytes that are sent at once; a thousand running responses hold as much each.
    const PIECE: usize = 16 << 10;
    let mut file = tokio::fs::File::from_std(file);
    file.seek(io::SeekFrom::Start(extent.start)).await?;
    let (mut piece, mut left) = (vec![0; PIECE], extent.size);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        file.read_exact(&mut piece[..length]).await?;
        timeout(patience, socket.write_all(&piece[..length])).await??;
        left -= length as u64;
    }
    Ok(())
}
