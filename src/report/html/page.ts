/**
 * page.ts — the frame of every HTML report: one file that loads nothing, whatever the texts in it say. Its policy names
 * the style and the script by their hashes, so that nothing else on the page can be either of them.
 */
import { createHash } from 'node:crypto';
import { escapeMarkup } from '../markup.js';

const STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --soft: #565c64; --line: #d9dde2; --here: #fff2c4;
  --bad: #b3261e; --good: #1d6b2f; --head: #f3f5f7; }
@media screen and (prefers-color-scheme: dark) { :root { --back: #15181c; --text: #e4e6e9; --soft: #a6adb6;
  --line: #353b43; --here: #4a3f12; --bad: #ff8a80; --good: #7fd08f; --head: #1f242a; } }
* { box-sizing: border-box; }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: var(--wide, 78rem); padding: 1rem clamp(.8rem, 3vw, 1.5rem) 4rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
h1, h2, h3, code { overflow-wrap: anywhere; }
.soft { color: var(--soft); } .fail { color: var(--bad); } .pass { color: var(--good); } .verdict { font-weight: 600; }
code { font: 13px/1.45 ui-monospace, monospace; }
table { border-collapse: collapse; } caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .1rem .6rem; border-bottom: 1px solid var(--line); }
thead th { position: sticky; top: 0; background: var(--head); } td.n { text-align: right; }
.scroll:focus-visible, input:focus-visible, summary:focus-visible, button:focus-visible, a:focus-visible {
  outline: 2px solid var(--text); outline-offset: 1px; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } }
`;

export interface PageParts {
  /** HTML below the page's main part */
  readonly foot?: string;
  /** CSS beside that of all pages */
  readonly style?: string;
  /** a script; without one the page runs none */
  readonly script?: string;
}

/** @param title as it is to be read @param main HTML */
export function htmlPage(title: string, main: string, { foot = '', style = '', script = '' }: PageParts = {}): string {
  const css = STYLE + style;
  const policy = [
    "default-src 'none'", `style-src ${hashOf(css)}`, ...(script === '' ? [] : [`script-src ${hashOf(script)}`]),
    "base-uri 'none'", "form-action 'none'",
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
${main}
</main>
${foot}${script === '' ? '' : `<script>${script}</script>\n`}</body>
</html>
`;
}

/** The foot of a page whose records do not say where they come from. */
export function madeBy(command: string): string {
  if (command === '') return '';
  return `<footer class="soft"><p>made by <code>${escapeMarkup(command)}</code></p></footer>\n`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
