//! Is the write-ahead log of a database whole?
//!
//! SQLite reads a log up to the first frame that does not fit and forgets the rest. That is right after
//! a crash, when the rest was never committed, and wrong after damage in the middle, when it was. The two
//! can be told apart: after damage, frames of the same generation follow the one that does not fit.
//! Format: sqlite.org/fileformat2.html, "The Write-Ahead Log" (read 2026-11-20).

use std::fs;
use std::io;
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The last bit of the magic number says how the checksums read their words.
const MAGIC: u32 = 0x377f_0682;

/// How checksums read their words.
type Read = fn([u8; 4]) -> u32;

/// Whether committed changes are in the log that SQLite would not find.
pub(crate) fn hides_changes(path: &Path) -> io::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(has_frames_behind_damage(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn has_frames_behind_damage(bytes: &[u8]) -> bool {
    let Some((header, frames)) = bytes.split_at_checked(HEADER) else { return false };
    let read: Read = if word(header, 0) & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let mut sum = checksum(&header[..24], (0, 0), read);
    let page = word(header, 8) as usize;
    let is_sound = word(header, 0) & !1 == MAGIC && sum == (word(header, 24), word(header, 28));
    if !is_sound || page < 512 {
        // Without its header nothing in the log is found.
        return frames.len() > FRAME_HEADER;
    }
    let mut is_broken = false;
    for frame in frames.chunks_exact(FRAME_HEADER + page) {
        if frame[8..16] != header[16..24] {
            // What was left of an earlier generation, here to be written over.
            return false;
        }
        if is_broken {
            return true;
        }
        sum = checksum(&frame[..8], sum, read);
        sum = checksum(&frame[FRAME_HEADER..], sum, read);
        is_broken = sum != (word(frame, 16), word(frame, 20));
    }
    false
}

fn checksum(bytes: &[u8], start: (u32, u32), read: Read) -> (u32, u32) {
    bytes.chunks_exact(8).fold(start, |(first, second), pair| {
        let first = first.wrapping_add(read(four(pair, 0))).wrapping_add(second);
        (first, second.wrapping_add(read(four(pair, 4))).wrapping_add(first))
    })
}

/// A number of the format's own; those have the most significant byte first.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(four(bytes, at))
}

fn four(bytes: &[u8], at: usize) -> [u8; 4] {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    four
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::has_frames_behind_damage;

    /// The log of three transactions, and where each of its frames begins.
    fn log() -> (Vec<u8>, Vec<usize>) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("a.db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        for sql in ["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"] {
            connection.execute(sql, []).unwrap();
        }
        let bytes = std::fs::read(folder.path().join("a.db-wal")).unwrap();
        let frames = (super::HEADER..bytes.len()).step_by(super::FRAME_HEADER + 4096).collect();
        (bytes, frames)
    }

    fn with_flipped(bytes: &[u8], at: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x40;
        bytes
    }

    #[test]
    fn a_whole_log_and_a_torn_end_hide_nothing() {
        let (bytes, frames) = log();
        assert!(frames.len() >= 3, "the log has several frames");
        assert!(!has_frames_behind_damage(&bytes));
        for end in 0..bytes.len() {
            assert!(!has_frames_behind_damage(&bytes[..end]) || end < super::HEADER, "cut at {end}");
        }
        let last = frames[frames.len() - 1];
        assert!(!has_frames_behind_damage(&with_flipped(&bytes, last + 100)), "the last frame may be half written");
    }

    #[test]
    fn damage_before_the_last_frame_is_noticed() {
        let (bytes, frames) = log();
        for at in (0..frames[frames.len() - 1]).step_by(7) {
            let is_page_count_or_salt = at >= 8 && frames.iter().any(|frame| (frame + 8..frame + 16).contains(&at));
            assert!(has_frames_behind_damage(&with_flipped(&bytes, at)) || is_page_count_or_salt, "flipped at {at}");
        }
    }

    #[test]
    fn frames_of_an_earlier_generation_hide_nothing() {
        let (bytes, frames) = log();
        let mut bytes = with_flipped(&bytes, frames[1] + 100);
        for frame in &frames[1..] {
            bytes[frame + 8] ^= 1;
        }
        assert!(!has_frames_behind_damage(&bytes));
    }
}
