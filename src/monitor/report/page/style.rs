//! The style of a report's page: light, dark, narrow and on paper.
//! Never names anything that would have to be loaded.

pub(super) const SHEET: &str = "\
:root{color-scheme:light dark;--paper:#f6f3ec;--sheet:#fffdf9;--ink:#1c2024;--soft:#565c60;--line:#d9d3c5;--accent:#1d5b63;--then:#a8a293;\
--good:#24613a;--good-wash:#e4efe3;--watch:#7a4f07;--watch-wash:#f8ecd2;--bad:#99302a;--bad-wash:#f8e4e0;--quiet-wash:#eeeadf;--chart:#ffffff}\
@media (prefers-color-scheme:dark){:root{--paper:#15181a;--sheet:#1d2123;--ink:#ece8df;--soft:#aeb1ac;--line:#353a3c;--accent:#8fc7cd;--then:#6f746f;\
--good:#93cfa1;--good-wash:#1b2e22;--watch:#e6bd6e;--watch-wash:#322817;--bad:#f0a299;--bad-wash:#38201d;--quiet-wash:#282c2e;--chart:#13171c}}\
@media print{:root{color-scheme:light;--paper:#fff;--sheet:#fff;--ink:#000;--soft:#333;--line:#bbb;--accent:#1d5b63;--then:#b5b0a3;\
--good:#000;--good-wash:#fff;--watch:#000;--watch-wash:#fff;--bad:#000;--bad-wash:#fff;--quiet-wash:#fff;--chart:#fff}}\
*{box-sizing:border-box}\
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\
body{margin:0;background:var(--paper);color:var(--ink);font:400 1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,'DejaVu Sans',sans-serif;overflow-wrap:break-word}\
main,.head,.foot{max-width:72rem;margin:0 auto;padding:0 1.25rem}\
.head{padding-top:2rem}\
h1,h2,h3{font-family:'Iowan Old Style','Palatino Linotype',Palatino,P052,Georgia,'Noto Serif','DejaVu Serif',serif;font-weight:600;line-height:1.2;margin:0;overflow-wrap:anywhere}\
h1{font-size:clamp(1.6rem,1.2rem + 2vw,2.4rem)}\
h2{font-size:1.45rem;margin-bottom:.75rem}\
h3{font-size:1.1rem;margin:1.5rem 0 .4rem}.pairs h3{margin-top:.25rem}\
p{margin:0 0 .75rem;max-width:46rem}\
.soft,.kicker,.foot{color:var(--soft)}\
.kicker{margin:0 0 .25rem;font-size:.9rem}\
.small{font-size:.875rem}\
section{margin:2.25rem 0}\
.number{font-variant-numeric:tabular-nums lining-nums;white-space:nowrap}\
.none{color:var(--soft)}\
.interval{display:block;color:var(--soft);font-size:.8125rem;white-space:nowrap}\
.state{border:1px solid var(--line);border-left:6px solid var(--tone);border-radius:8px;background:var(--sheet);padding:1.25rem 1.5rem;margin:1.25rem 0 0}\
.state.good{--tone:var(--good)}.state.watch{--tone:var(--watch)}.state.bad{--tone:var(--bad)}.state.quiet{--tone:var(--then)}\
.state .word{font:600 clamp(1.8rem,1.2rem + 3vw,2.75rem)/1.1 'Iowan Old Style','Palatino Linotype',Palatino,P052,Georgia,'Noto Serif','DejaVu Serif',serif;margin:0 0 .35rem;color:var(--tone)}\
.state.quiet .word{color:var(--ink)}\
.state p:last-child{margin-bottom:0}\
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0 0}\
.tiles>div{background:var(--sheet);border:1px solid var(--line);border-radius:8px;padding:.7rem .9rem}\
.tiles dt{color:var(--soft);font-size:.875rem}\
.tiles dd{margin:0;font-size:1.35rem;font-weight:600;line-height:1.3}\
.tiles .interval{font-weight:400}\
.tiles .note{display:block;color:var(--soft);font-size:.8125rem;font-weight:400}\
.news,.alarms{list-style:none;margin:0;padding:0}\
.news li{padding:.2rem 0 .2rem 1.6rem;position:relative}\
.news li>span:first-child{position:absolute;left:0;width:1.2rem;text-align:center;font-weight:700}\
.news .worse>span:first-child{color:var(--bad)}.news .better>span:first-child{color:var(--good)}.news .neither>span:first-child{color:var(--soft)}\
.alarms li{background:var(--sheet);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;margin-bottom:.6rem}\
.alarms p{margin:.35rem 0 0;max-width:60rem}\
.chip{display:inline-block;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,'DejaVu Sans',sans-serif;letter-spacing:0;padding:.05em .6em;border-radius:99px;font-size:.8125rem;font-weight:600;white-space:nowrap;background:var(--quiet-wash);color:var(--soft)}\
.chip.good{background:var(--good-wash);color:var(--good)}.chip.watch{background:var(--watch-wash);color:var(--watch)}.chip.bad{background:var(--bad-wash);color:var(--bad)}\
.scroll{overflow-x:auto;background:var(--sheet);border:1px solid var(--line);border-radius:8px;padding:.4rem 1rem;margin:0 0 1rem}\
.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
table{width:100%;border-collapse:collapse;text-align:left}\
caption{text-align:left;color:var(--soft);font-size:.875rem;padding:.4rem 0}\
th,td{padding:.45rem 1rem .45rem 0;border-top:1px solid var(--line);vertical-align:top}\
thead th{border-top:0;color:var(--soft);font-size:.8125rem;font-weight:600;vertical-align:bottom}\
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:7rem}\
th:last-child,td:last-child{padding-right:0}\
.right{text-align:right}\
.pairs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr));gap:1rem}\
.pairs>div{min-width:0}\
.bars{display:block;width:100%;min-width:6rem;height:1.35rem}\
.bars .then{fill:var(--then)}.bars .now{fill:var(--accent)}.bars .rule{stroke:var(--line);stroke-width:1}.bars .reach{fill:var(--accent);fill-opacity:.38}\
.bars .dot{fill:var(--accent)}\
.key{font-size:.875rem;color:var(--soft)}\
.key i{display:inline-block;width:.75rem;height:.75rem;margin-right:.35rem;vertical-align:-.05rem}\
.key .then{background:var(--then)}.key .now{background:var(--accent);margin-left:1rem}\
.chart{overflow-x:auto;background:var(--chart);border:1px solid var(--line);border-radius:8px;margin:0 0 1rem;max-width:46rem}\
.chart svg{display:block;width:100%;min-width:27rem;height:auto}\
.hash{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.8125rem;overflow-wrap:anywhere}\
.foot{padding-bottom:3rem;font-size:.875rem}\
@media screen and (max-width:46rem){\
main,.head,.foot{padding-left:.9rem;padding-right:.9rem}\
.scroll{border:0;background:none;padding:0;overflow-x:visible}\
table,caption,tbody,tr,tbody th,td{display:block}\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
tr{background:var(--sheet);border:1px solid var(--line);border-radius:8px;padding:.5rem .8rem;margin-bottom:.6rem}\
tbody th{border:0;padding:.1rem 0}\
td{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.15rem 0;text-align:left}\
td::before{content:attr(data-label);text-align:left;color:var(--soft);font-size:.875rem;flex:0 1 50%}\
td>div{text-align:right;min-width:0}\
td.wide{display:block}td.wide::before{content:none}\
.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}\
.state{padding:1rem}}\
@media print{@page{margin:14mm}body{font-size:9.5pt}main,.head,.foot{max-width:none;padding:0}.scroll,.chart{overflow:visible}\
section{margin:1.4rem 0}h2,h3{break-after:avoid}tr,.pairs>div,.alarms li,.tiles>div,.chart,.state{break-inside:avoid}thead{display:table-header-group}\
th,td{padding:.25rem .5rem .25rem 0}.chart{max-width:11cm}.bars,.key i,.chart{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\
@media (forced-colors:active){.chip,.state,.tiles>div{border:1px solid}}";
