//! The picture as a page of its own: the drawing, and below it every node with all its reasons as a table.
//! Loads nothing and runs no script.

use crate::pipeline::graph::picture::svg::{self, escape};
use crate::pipeline::graph::picture::{Picture, told_ms};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;margin:1.5rem;\
background:#fff;color:#1a1f26}\
.drawing{overflow-x:auto}table{border-collapse:collapse;margin-top:1.5rem}\
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid #a3adb9}\
td.time{text-align:right;font-variant-numeric:tabular-nums}\
@media (prefers-color-scheme:dark){body{background:#13171c;color:#e9edf2}th,td{border-color:#596573}}";

pub fn draw(picture: &Picture) -> String {
    let mut rows = String::new();
    for (at, shown) in picture.boxes.iter().enumerate() {
        let reads: Vec<&str> = picture
            .edges
            .iter()
            .filter(|(_, to, _)| *to == at)
            .flat_map(|(_, _, artifacts)| artifacts.iter().map(String::as_str))
            .collect();
        let took = shown.took_ms.map_or(String::new(), told_ms);
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td class=\"time\">{took}</td></tr>\n",
            escape(&shown.name),
            shown.mark.as_str(),
            escape(&shown.why),
            escape(&reads.join(", "))
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title><style>{STYLE}</style></head>\n<body>\n<div class=\"drawing\">{}</div>\n\
         <table><thead><tr><th scope=\"col\">Node</th><th scope=\"col\">Will</th><th scope=\"col\">Why</th>\
         <th scope=\"col\">Reads</th><th scope=\"col\">Last took</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n\
         </body></html>\n",
        escape(&picture.title),
        svg::draw(picture)
    )
}
