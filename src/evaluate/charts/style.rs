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
}

const LIGHT: Palette = Palette {
    surface: "#ffffff",
    ink: "#1a1f26",
    muted: "#5a6572",
    grid: "#e8ebef",
    axis: "#a3adb9",
    first: "#1f5fa8",
    second: "#c05a12",
};

const DARK: Palette = Palette {
    surface: "#13171c",
    ink: "#e9edf2",
    muted: "#9ba7b5",
    grid: "#272e37",
    axis: "#596573",
    first: "#74aef0",
    second: "#f29b57",
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
.tally .halo{paint-order:stroke;stroke-width:4;stroke-linejoin:round}";

/// The content of a chart's `style` element.
pub(super) fn sheet() -> String {
    format!("{SHAPES}{}@media (prefers-color-scheme:dark){{{}}}", colours(&LIGHT), colours(&DARK))
}

fn colours(p: &Palette) -> String {
    let Palette { surface, ink, muted, grid, axis, first, second } = p;
    format!(
        ".tally .surface{{fill:{surface}}}\
         .tally .title,.tally .ink{{fill:{ink}}}\
         .tally .muted{{fill:{muted}}}\
         .tally .grid{{stroke:{grid}}}\
         .tally .axis{{stroke:{axis}}}\
         .tally .guide{{stroke:{muted}}}\
         .tally .line.first,.tally .thin.first{{stroke:{first}}}\
         .tally .line.second,.tally .thin.second{{stroke:{second}}}\
         .tally .area.first,.tally .bar.first,.tally .dot.first,.tally text.first,.tally .figure{{fill:{first}}}\
         .tally .area.second,.tally .bar.second,.tally .dot.second,.tally text.second{{fill:{second}}}\
         .tally .dot,.tally .halo{{stroke:{surface}}}"
    )
}
