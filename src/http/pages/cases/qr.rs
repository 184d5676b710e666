//! A text as a QR code, drawn as one path without any style of its own.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};
use serde::Serialize;

/// Beyond this version a printed code is too fine for a telephone's camera.
const VERSION_MAX: u8 = 25;
/// Light modules around a code, without which it is not found.
const MARGIN: i32 = 4;

#[derive(Clone, Debug, Default, Serialize)]
pub struct QrView {
    /// Modules on a side, the margin with them.
    pub size: i32,
    pub path: String,
}

/// With as much room for damage as a code of that size can have; nothing where the text does not fit.
pub fn draw(text: &str) -> Option<QrView> {
    let segments = QrSegment::make_segments(text);
    let made = |level| {
        QrCode::encode_segments_advanced(
            &segments,
            level,
            Version::new(1),
            Version::new(VERSION_MAX),
            None,
            true,
        )
    };
    let code = made(QrCodeEcc::Medium).or_else(|_| made(QrCodeEcc::Low)).ok()?;
    Some(QrView { size: code.size() + 2 * MARGIN, path: path_of(&code) })
}

/// Runs of dark modules, row by row.
fn path_of(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let begin = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > begin {
                path.push_str(&format!(
                    "M{} {}h{}v1H{}z",
                    begin + MARGIN,
                    y + MARGIN,
                    x - begin,
                    begin + MARGIN
                ));
            }
            x += 1;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_in_the_path_and_no_other() {
        let code = QrCode::encode_text("TALLY1:ABC", QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = dark.filter(|(x, y)| code.get_module(*x, *y)).count();
        let runs = path_of(&code)
            .split('h')
            .skip(1)
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum::<usize>();
        assert_eq!(runs, dark);
    }

    #[test]
    fn what_a_telephone_could_not_read_is_not_drawn() {
        // The alphanumeric capacity of version 25 at the lowest level (ISO/IEC 18004, table 7).
        assert!(draw(&"A".repeat(1_853)).is_some());
        assert!(draw(&"A".repeat(1_854)).is_none());
        assert_eq!(draw(&"A".repeat(20)).unwrap().size, 21 + 8);
    }
}
