//! Reads tar archives in a container of another program, from the beginning on: one thread
//! decompresses, the others visit the files.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::bufread::GzDecoder;
use parking_lot::Mutex;
use tempfile::SpooledTempFile;
use zstd::Decoder as ZstdDecoder;

use super::super::FIRST_ENTRY;
use super::tar::{SkipBytes, TarReader};
use super::{ArchiveFault, ArchiveMember, MemberVisitor, read_at_most};
use crate::archive::stored_container::Container;
use crate::archive::volume_set::{VolumeSet, VolumeSetReader};

/// The size of a decompressed file in bytes up to which it is held in memory, and not on disk.
const IN_MEMORY: usize = 2 << 20;

/// Calls `visit` with every file; see [`super::ArchiveReader::visit`].
pub fn visit(
    volumes: &VolumeSet,
    kind: Container,
    limit: u64,
    threads: usize,
    visit: &MemberVisitor<'_>,
) -> Vec<ArchiveFault> {
    let (sender, receiver) = sync_channel(1);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        let server = || thread::Builder::new().spawn_scoped(scope, || serve(&receiver, visit));
        if let Err(error) = server() {
            return vec![ArchiveFault::of_io(&error, None)];
        }
        (1..threads).map_while(|_| server().ok()).for_each(drop);
        unpack(volumes, kind, limit, sender)
    })
}

fn serve(files: &Mutex<Receiver<ArchiveMember>>, visit: &MemberVisitor<'_>) {
    loop {
        let file = files.lock().recv();
        match file {
            Ok(file) => visit(file),
            Err(_) => return,
        }
    }
}

/// Decompresses the whole archive into `files`.
fn unpack(volumes: &VolumeSet, kind: Container, limit: u64, files: SyncSender<ArchiveMember>) -> Vec<ArchiveFault> {
    let input = match UnpackedStream::open(volumes, kind, limit) {
        Ok(input) => input,
        Err(error) => return vec![ArchiveFault::of_io(&error, None)],
    };
    let mut tar = TarReader::new(input);
    while let Some((path, size)) = tar.next() {
        match spool(tar.input.by_ref(), size) {
            Ok(bytes) => drop(files.send(ArchiveMember { path, bytes: Box::new(bytes), extent: None })),
            Err(error) => tar.fail(&error, Some(path.to_string())),
        }
    }
    let mut faults = tar.faults;
    if tar.input.is_spent() {
        return vec![ArchiveFault::TooLarge { limit }];
    }
    if faults.is_empty() {
        faults.push(tar.input.rest());
    }
    faults
}

/// The number of bytes that are searched for a page: all pages come before or soon after the
/// manifest.
const LONGEST_SEARCH: u64 = 256 << 20;

/// Returns the first file called `name`, which must have no more than `limit` bytes.
pub fn page(volumes: &VolumeSet, kind: Container, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut tar = TarReader::new(UnpackedStream::open(volumes, kind, LONGEST_SEARCH)?);
    while let Some((path, size)) = tar.next() {
        if path.as_str() == name {
            return read_at_most(tar.input.take(size), limit).map(Some);
        }
        // All but the manifest come sorted, and nobody should unpack the rest to find nothing.
        if path.as_str() > name && path.as_str() != FIRST_ENTRY && name != FIRST_ENTRY {
            return Ok(None);
        }
        if let Err(error) = tar.input.skip(size) {
            tar.fail(&error, None);
        }
    }
    Ok(None)
}

/// Reads exactly `size` bytes of `input` into a temporary file that can be read again.
pub fn spool(input: impl Read, size: u64) -> io::Result<SpooledTempFile> {
    let mut spooled = SpooledTempFile::new(IN_MEMORY);
    let copied = io::copy(&mut input.take(size), &mut spooled)?;
    if copied < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    spooled.flush()?;
    spooled.seek(SeekFrom::Start(0))?;
    Ok(spooled)
}

type Packed = BufReader<VolumeSetReader>;

enum Decoder {
    Gzip(Box<GzDecoder<Packed>>),
    Zstd(Box<ZstdDecoder<'static, Packed>>),
}

/// The decompressed content of an archive, up to a limit.
struct UnpackedStream {
    decoder: Decoder,
    left: u64,
}

impl UnpackedStream {
    fn open(volumes: &VolumeSet, kind: Container, limit: u64) -> io::Result<Self> {
        let packed = BufReader::with_capacity(256 << 10, volumes.reader());
        let decoder = match kind {
            Container::Gzip => Decoder::Gzip(Box::new(GzDecoder::new(packed))),
            Container::Zstd => Decoder::Zstd(Box::new(ZstdDecoder::with_buffer(packed)?.single_frame())),
        };
        Ok(Self { decoder, left: limit })
    }

    fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Returns what is wrong after the end of the tar, or else that the container is not as this
    /// program writes it.
    fn rest(self) -> ArchiveFault {
        let mut packed = match self.decoder {
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Zstd(decoder) => decoder.finish(),
        };
        match packed.read(&mut [0]) {
            Ok(0) => ArchiveFault::Altered { path: None },
            Ok(_) => ArchiveFault::Trailing,
            Err(error) => ArchiveFault::of_io(&error, None),
        }
    }
}

impl Read for UnpackedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(&mut buffer[..length]),
            Decoder::Zstd(decoder) => decoder.read(&mut buffer[..length]),
        }?;
        self.left -= got as u64;
        Ok(got)
    }
}

impl SkipBytes for UnpackedStream {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match io::copy(&mut self.take(bytes), &mut io::sink())? {
            passed if passed == bytes => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
