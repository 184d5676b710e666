//! The colours and type of all charts, in light and dark; shapes carry class names and nothing else.
//! Never names a font or an image that would have to be loaded.

struct Palette {
    surface: &'static str,
    ink: &'static str,
    muted: &'static str,
    grid: &'static str,
    axis: &'static str,
    /// The line or bar a chart is about.
    first: &'static str,
    /// What it is compared with. Both stay apart for eyes that do not tell red from green.
    second: &'static str,
    /// Further lines of one chart, told apart by lightness too.
    third: &'static str,
    fourth: &'static str,
    fifth: &'static str,
    /// From a low value to a high one.
    scale: [&'static str; SCALE_STEPS],
    /// A value without a place on the scale.
    plain: &'static str,
    /// How much single points among many cover; light ones on a dark ground need more.
    fine: &'static str,
}

/// Colours from a low value to a high one.
pub(super) const SCALE_STEPS: usize = 7;
/// The classes of the lines of one chart, in order.
pub(super) const LINES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

const LIGHT: Palette = Palette {
    surface: "#ffffff",
    ink: "#1a1f26",
    muted: "#5a6572",
    grid: "#e8ebef",
    axis: "#a3adb9",
    first: "#1f5fa8",
    second: "#c05a12",
    third: "#1d7d5f",
    fourth: "#8a4fa3",
    fifth: "#8f7a13",
    scale: ["#1f5fa8", "#5680b6", "#8b9fc0", "#b4acae", "#d0a07c", "#ca7d48", "#c05a12"],
    plain: "#7b8794",
    fine: ".42",
};

const DARK: Palette = Palette {
    surface: "#13171c",
    ink: "#e9edf2",
    muted: "#9ba7b5",
    grid: "#272e37",
    axis: "#596573",
    first: "#74aef0",
    second: "#f29b57",
    third: "#5fc7a1",
    fourth: "#c99be0",
    fifth: "#d9c456",
    scale: ["#74aef0", "#7a9fd0", "#848fad", "#8d868a", "#ad876c", "#d09162", "#f29b57"],
    plain: "#7d8896",
    fine: ".62",
};

const SHAPES: &str = "\
.tally text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:12px}\
.tally .number{font-variant-numeric:tabular-nums}\
.tally .title{font-size:18px;font-weight:600}\
.tally .grid,.tally .axis{stroke-width:1}\
.tally .guide{stroke-width:1.2;stroke-dasharray:4 4;fill:none}\
.tally .line{stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round;fill:none}\
.tally .thin{stroke-width:1.2;fill:none;stroke-opacity:.55}\
.tally .area{fill-opacity:.13}\
.tally .bar{fill-opacity:.88}\
.tally .dot{stroke-width:2}\
.tally .strong{font-weight:600}\
.tally .large{font-size:22px;font-weight:600}\
.tally .points{fill:none;stroke-linecap:round;stroke-width:3.6;stroke-opacity:.7}\
.tally .points.fine{stroke-width:3}\
.tally .band{fill-opacity:.07}\
.tally .mark{stroke-width:3;stroke-linecap:round}\
.tally .d0{fill-opacity:.06}.tally .d1{fill-opacity:.16}.tally .d2{fill-opacity:.28}.tally .d3{fill-opacity:.4}.tally .d4{fill-opacity:.52}\
.tally .dashed{stroke-dasharray:5 4}\
.tally .halo{paint-order:stroke;stroke-width:4;stroke-linejoin:round}";

/// The content of a chart's `style` element.
pub(super) fn sheet() -> String {
    format!("{SHAPES}{}@media (prefers-color-scheme:dark){{{}}}", colours(&LIGHT), colours(&DARK))
}

fn colours(p: &Palette) -> String {
    let Palette { surface, ink, muted, grid, axis, first, plain, fine, .. } = p;
    let mut sheet = format!(
        ".tally .surface{{fill:{surface}}}\
         .tally .title,.tally .ink{{fill:{ink}}}\
         .tally .muted,.tally .band{{fill:{muted}}}\
         .tally .grid{{stroke:{grid}}}\
         .tally .axis{{stroke:{axis}}}\
         .tally .guide,.tally .mark.end{{stroke:{muted}}}\
         .tally .figure{{fill:{first}}}\
         .tally .bar.plain{{fill:{plain}}}.tally .points.plain{{stroke:{plain}}}\
         .tally .points.fine{{stroke-opacity:{fine}}}\
         .tally .dot,.tally .halo{{stroke:{surface}}}"
    );
    for (class, colour) in LINES.iter().zip([first, p.second, p.third, p.fourth, p.fifth]) {
        sheet.push_str(&format!(
            ".tally .line.{class},.tally .thin.{class},.tally .mark.{class},.tally .points.{class}{{stroke:{colour}}}\
             .tally .area.{class},.tally .bar.{class},.tally .dot.{class},.tally text.{class}{{fill:{colour}}}"
        ));
    }
    for (step, colour) in p.scale.iter().enumerate() {
        sheet.push_str(&format!(
            ".tally .bar.s{step}{{fill:{colour}}}.tally .points.s{step}{{stroke:{colour}}}"
        ));
    }
    sheet
}
