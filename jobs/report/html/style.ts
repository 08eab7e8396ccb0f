/** Colours by name: of the light and of the dark page. */
const colours: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  page: ['#f6f7f8', '#101418'],
  card: ['#ffffff', '#171c22'],
  line: ['#dfe3e7', '#2b333c'],
  text: ['#1b2127', '#e4e8ec'],
  soft: ['#57616b', '#9aa5b1'],
  link: ['#0b5cad', '#7db8f5'],
  good: ['#1c7a4a', '#52c48a'],
  warn: ['#9a6200', '#e0ab4e'],
  bad: ['#b3261e', '#f28b82'],
  verified: ['#1c7a4a', '#2f8f5c'],
  'verified-text': ['#ffffff', '#04120a'],
  exported: ['#b9e2c9', '#1f4a34'],
  'exported-text': ['#0d4426', '#bdeccf'],
  unchanged: ['#e4eee8', '#22302a'],
  'unchanged-text': ['#355243', '#a9c6b6'],
  failed: ['#b3261e', '#e2574c'],
  'failed-text': ['#ffffff', '#1a0503'],
  missing: ['#ffffff', '#171c22'],
  'missing-text': ['#b3261e', '#f6a49d'],
  create: ['#2a8a5f', '#4fb98a'],
  read: ['#3f74c4', '#6d9fe8'],
  update: ['#c98a12', '#dfae4d'],
  delete: ['#b34a63', '#e0859b'],
  code: ['#f1f3f5', '#0f1317'],
}

const variables = (side: 0 | 1): string =>
  Object.entries(colours)
    .map(([name, pair]) => `--${name}:${pair[side]}`)
    .join(';')

/**
 * The page's only style sheet. Dark where the reader prefers it; whoever shows the page in a frame may say `data-theme` on its
 * root instead.
 */
export const style = `
:root{color-scheme:light dark;${variables(0)}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${variables(1)}}}
:root[data-theme=light]{color-scheme:light}
:root[data-theme=dark]{color-scheme:dark;${variables(1)}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
header,main,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{margin:0;font-size:14px;font-weight:600;color:var(--soft);letter-spacing:.01em}
h2{margin:0 0 10px;font-size:15px;font-weight:650}
h3{margin:0 0 6px;font-size:14px;font-weight:600}
p{margin:0}
a{color:var(--link)}
.verdict{display:flex;gap:14px;align-items:baseline;margin:6px 0 4px;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em}
.verdict .word{flex:none;padding:2px 12px;border-radius:999px;font-size:14px;line-height:1.6;font-weight:650;letter-spacing:0;position:relative;top:-3px;border:1px solid currentColor}
.fresh .word{color:var(--good)}.late .word{color:var(--warn)}.failed .word,.wrong .word{color:var(--bad)}.empty .word{color:var(--soft)}
.soft{color:var(--soft)}
.meta{color:var(--soft);font-size:13px}
small.meta{display:block;font-size:12px}
section,details{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin:16px 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{overflow-wrap:normal;font-weight:600;color:var(--soft);font-size:12px;text-align:left;padding:0 12px 6px 0;vertical-align:bottom}
td{padding:7px 12px 7px 0;border-top:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
th.n,td.n{text-align:right;white-space:nowrap}
td.name{font-weight:600;overflow-wrap:anywhere;min-width:11em}
td.t{white-space:nowrap}
.dense td{padding-top:3px;padding-bottom:3px;font-size:13px}
.dense td.name{font-weight:400}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);border:1px solid var(--line);border-radius:5px;padding:1px 6px;overflow-wrap:anywhere}
.state{display:block;font-size:12px;font-weight:600}
.state::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;margin-right:6px;background:currentColor}
.state.fresh{color:var(--good)}.state.late{color:var(--warn)}.state.failed,.state.wrong,.state.unread{color:var(--bad)}
.days{display:grid;grid-template-columns:repeat(30,minmax(0,1fr));gap:2px;min-width:372px}
.days b,.legend li{overflow-wrap:normal}
.days b{font:600 9px/18px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;text-align:center;border-radius:3px;height:18px;overflow:hidden}
.v{background:var(--verified);color:var(--verified-text)}
.e{background:var(--exported);color:var(--exported-text)}
.u{background:var(--unchanged);color:var(--unchanged-text)}
.m{background:var(--missing);color:var(--missing-text);box-shadow:inset 0 0 0 1.5px var(--missing-text)}
.f{background:var(--failed);color:var(--failed-text)}
.o{color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0 0;padding:0;list-style:none;font-size:12px;color:var(--soft)}
.legend b{display:inline-block;width:16px;margin-right:6px;font:600 9px/16px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;text-align:center;border-radius:3px}
.legend i{display:inline-block;width:10px;height:10px;margin-right:6px;border-radius:2px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:14px 22px;margin:0}
.facts div{min-width:0}
dt{font-size:12px;color:var(--soft)}
dd{margin:0;font-size:19px;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
dd small{display:block;font-size:12px;font-weight:400;color:var(--soft);letter-spacing:0}
summary{cursor:pointer;font-weight:650}
summary span{font-weight:400;color:var(--soft);margin-left:8px}
details>*+*{margin-top:12px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:22px}
figure{margin:0;min-width:0}
figcaption{font-size:13px;font-weight:600;margin-bottom:4px}
figcaption span{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto;max-width:620px}
svg text{font:10px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
svg .axis{stroke:var(--line);stroke-width:1}
svg .create,i.create{fill:var(--create);background:var(--create)}
svg .read,i.read{fill:var(--read);background:var(--read)}
svg .update,i.update{fill:var(--update);background:var(--update)}
svg .delete,i.delete{fill:var(--delete);background:var(--delete)}
svg .other{fill:var(--soft)}
svg .earlier{opacity:.45}
svg .hatch{stroke:var(--soft);stroke-width:1}
svg .area{fill:var(--read);opacity:.18}
svg .line{fill:none;stroke:var(--read);stroke-width:1.25}
svg .dot{fill:var(--read)}svg .dot.mid{fill:var(--update)}svg .dot.far{fill:var(--delete)}
svg .range{stroke:var(--soft);stroke-width:1.5;opacity:.6}
figure details{border:0;padding:0;margin:6px 0 0;background:none}
figure summary{font-size:12px;font-weight:400;color:var(--soft)}
figure td,figure th{font-size:12px;padding-top:3px;padding-bottom:3px}
.scroll{overflow-x:auto}
ul.changes{margin:4px 0 0;padding-left:18px}
footer{color:var(--soft);font-size:12px;padding-bottom:32px}
.visually{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:860px){
header,main,footer{padding-left:12px;padding-right:12px}
.verdict{font-size:21px;display:block}
.verdict .word{display:inline-block;top:0;margin-bottom:6px}
section,details{padding:14px 12px}
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards,.cards tbody,.cards td{display:block}
.cards tr{display:grid;grid-template-columns:1fr 1fr;gap:2px 14px;border-top:1px solid var(--line);padding:12px 0}
.cards tr:first-child{border-top:0;padding-top:0}
.cards td{border:0;padding:1px 0;text-align:left;white-space:normal;min-width:0;grid-column:1/-1}
.cards td[data-label]{grid-column:auto}
.cards td[data-label]::before{content:attr(data-label);display:block;color:var(--soft);font-size:12px}
.days{grid-template-columns:repeat(15,minmax(0,1fr));min-width:0;margin:6px 0}
}
`
