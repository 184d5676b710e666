//! The bytes of a file before they are a table: container, byte order mark, character encoding.
//! Encodings are told by one pass over the whole file, so that no row is read otherwise than another.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::files::open_regular;
use crate::base::limits;
use crate::data::import::error::DataError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Plain,
    Gzip,
    Parquet,
}

/// How bytes stand for characters. Windows-1252 has Latin-1's letters and the signs Windows adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// `None` where the bytes are not of this encoding.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match (self, std::str::from_utf8(bytes)) {
            (Self::Windows1252, _) if !bytes.is_ascii() => {
                Some(Cow::Owned(bytes.iter().map(|&b| windows_1252(b)).collect()))
            }
            (_, Ok(text)) => Some(Cow::Borrowed(text)),
            (_, Err(_)) => None,
        }
    }
}

fn windows_1252(byte: u8) -> char {
    // 0x80 to 0x9f; the five holes keep their control characters, as in the WHATWG table.
    const SIGNS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => SIGNS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Tells the container by its first bytes; names the formats people send by mistake.
pub fn find_container(path: &Path) -> Result<Container, DataError> {
    let mut head = Vec::new();
    open_regular(path)?.take(4).read_to_end(&mut head).map_err(DataError::io(path))?;
    let refuse = |what| Err(DataError::NotATable { path: path.to_path_buf(), what });
    match head.as_slice() {
        [] => Err(DataError::Empty { path: path.to_path_buf() }),
        b"PAR1" => Ok(Container::Parquet),
        [0x1f, 0x8b, ..] => Ok(Container::Gzip),
        b"PK\x03\x04" => refuse("a zip archive or an Excel workbook"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => refuse("in UTF-16"),
        [0xd0, 0xcf, 0x11, 0xe0] => refuse("an old Excel workbook"),
        _ => Ok(Container::Plain),
    }
}

/// The file's bytes, decompressed and without a byte order mark.
pub fn open_text(path: &Path, text: &TextFile) -> Result<Box<dyn Read + Send>, DataError> {
    let mut input = open_raw(path, text.compressed)?;
    if text.byte_order_mark {
        let mut mark = [0u8; BYTE_ORDER_MARK.len()];
        input.read_exact(&mut mark).map_err(DataError::io(path))?;
    }
    Ok(input)
}

fn open_raw(path: &Path, compressed: bool) -> Result<Box<dyn Read + Send>, DataError> {
    let file = open_regular(path)?;
    Ok(if compressed {
        Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file)))
    } else {
        Box::new(file)
    })
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What one pass over a text file tells.
#[derive(Clone, Debug)]
pub struct TextFile {
    pub compressed: bool,
    pub byte_order_mark: bool,
    pub encoding: Encoding,
    /// The beginning of the text, without the mark.
    pub sample: Vec<u8>,
    /// The sample is the whole file.
    pub is_whole: bool,
}

/// Reads the file once, keeping only its beginning.
pub fn scan_text(path: &Path, compressed: bool) -> Result<TextFile, DataError> {
    let mut input = open_raw(path, compressed)?;
    let mut sample = Vec::new();
    let mut census = Census::default();
    let mut buffer = vec![0u8; 1 << 16];
    let mut total = 0u64;
    loop {
        let read = read_full(&mut *input, &mut buffer);
        let n = read.map_err(|source| DataError::Damaged { path: path.to_path_buf(), row: 0, source })?;
        if n == 0 {
            break;
        }
        total += n as u64;
        if total > limits::IMPORT_BYTES_MAX {
            return Err(DataError::TooLarge { path: path.to_path_buf(), max: limits::IMPORT_BYTES_MAX });
        }
        let room = (limits::SNIFF_BYTES_MAX + BYTE_ORDER_MARK.len()).saturating_sub(sample.len());
        sample.extend_from_slice(&buffer[..n.min(room)]);
        census.add(&buffer[..n]);
    }
    let is_whole = total == sample.len() as u64;
    let byte_order_mark = sample.starts_with(BYTE_ORDER_MARK);
    if byte_order_mark {
        sample.drain(..BYTE_ORDER_MARK.len());
    }
    if sample.iter().all(u8::is_ascii_whitespace) && is_whole {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    let encoding = if byte_order_mark { Encoding::Utf8 } else { census.encoding() };
    Ok(TextFile { compressed, byte_order_mark, encoding, sample, is_whole })
}

/// Decompressors answer in pieces; the census wants full blocks.
fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// Counts UTF-8's multi-byte characters and the bytes that cannot be UTF-8.
#[derive(Default)]
struct Census {
    characters: u64,
    strays: u64,
    /// The beginning of a character that the last block cut.
    cut: Vec<u8>,
}

impl Census {
    fn add(&mut self, block: &[u8]) {
        let joined;
        let mut rest = if self.cut.is_empty() {
            block
        } else {
            joined = [std::mem::take(&mut self.cut), block.to_vec()].concat();
            &joined
        };
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, bad) = rest.split_at(error.valid_up_to());
            self.count(valid);
            match error.error_len() {
                Some(n) => {
                    self.strays += 1;
                    rest = &bad[n..];
                }
                None => {
                    self.cut = bad.to_vec();
                    return;
                }
            }
        }
        self.count(rest);
    }

    fn count(&mut self, valid: &[u8]) {
        self.characters += valid.iter().filter(|&&b| b >= 0xc0).count() as u64;
    }

    /// A few stray bytes among real UTF-8 are damage to some rows, not another encoding of all.
    fn encoding(&self) -> Encoding {
        let strays = self.strays + u64::from(!self.cut.is_empty());
        if strays == 0 || self.characters > strays { Encoding::Utf8 } else { Encoding::Windows1252 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding_of(blocks: &[&[u8]]) -> Encoding {
        let mut census = Census::default();
        blocks.iter().for_each(|block| census.add(block));
        census.encoding()
    }

    #[test]
    fn a_character_cut_by_a_block_is_still_utf8() {
        let text = "Köln, 1 €".as_bytes();
        for at in 0..text.len() {
            assert_eq!(encoding_of(&[&text[..at], &text[at..]]), Encoding::Utf8);
        }
    }

    #[test]
    fn latin1_is_told_from_damaged_utf8() {
        assert_eq!(encoding_of(&[b"K\xf6ln, M\xfcnchen"]), Encoding::Windows1252);
        assert_eq!(encoding_of(&["äöüß ÄÖÜ".as_bytes(), b" \xff"]), Encoding::Utf8);
        assert_eq!(Encoding::Windows1252.decode(b"1 \x80 K\xf6ln").unwrap(), "1 € Köln");
        assert_eq!(Encoding::Utf8.decode(b"\xff"), None);
    }
}
