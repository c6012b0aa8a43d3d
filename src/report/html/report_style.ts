/**
 * report_style.ts — how a report looks, light, dark and on paper. Series differ in colour (of a palette that is told
 * apart without seeing red or green), dashes and marks; parts of bars in colour and, every second, hatching; not on
 * paper, where browsers print patterns as pictures: 60 MB of them, for 150 bars.
 */
import { LEVELS } from './map.js';
import { STYLES } from './svg.js';

/** a series' colour; the last is nobody's: what is not worth one */
const LIGHT = ['#0067a8', '#c84b00', '#00785a', '#8e3a80', '#7d6000', '#4a5560', '#1f86bd', '#b5305a', '#9aa1a9'];
const DARK = ['#56b4e9', '#f58a3c', '#2fc79a', '#d992cf', '#e5c94a', '#a9b4c0', '#9db7ff', '#ff8fab', '#69727c'];
/** levels of a map, from little to much: away from the page's own colour */
const LIGHT_LEVELS = ['#cfe3f3', '#9fc9e6', '#62a6d3', '#2f7fb8', '#11598f', '#06325c'];
const DARK_LEVELS = ['#16344a', '#1f5174', '#2b74a3', '#4a9bcb', '#86c5ea', '#d3ecfb'];
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '5 2 1 2', '3 2', '14 3 3 3'];

const variables = (name: string, colours: readonly string[]): string =>
  colours.map((colour, n) => `--${name}${n}: ${colour};`).join(' ');

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

export const REPORT_STYLE = `
:root { ${variables('s', LIGHT)} ${variables('q', LIGHT_LEVELS)} --hatch: #fff; }
@media screen and (prefers-color-scheme: dark) { :root { ${variables('s', DARK)} ${variables('q', DARK_LEVELS)}
  --hatch: #15181c; } }
${numbers(STYLES + 1).map((n) => `.s${n} { --c: var(--s${n}); }`).join(' ')}
${numbers(STYLES + 1).map((n) => `.f${n} { fill: url(#p${n}); }`).join(' ')}
${numbers(LEVELS).map((n) => `.q${n} { fill: var(--q${n}); }`).join(' ')}
${DASHES.map((dashes, n) => (dashes === '' ? '' : `.d${n} { stroke-dasharray: ${dashes}; }`)).join(' ')}
h2 { font-size: 1.2rem; margin: 3rem 0 0; padding-top: .6rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .2rem; } h4 { font-size: .95rem; margin: 0; }
a { color: inherit; } main > p { margin: .3rem 0; } h2 code, h1 code { font-size: .92em; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.6rem 2.2rem;
  align-items: start; margin: .8rem 0 1.2rem; }
.plot { margin: 0; min-width: 0; max-width: 38rem; } .plot > svg { display: block; width: 100%; height: auto; }
figcaption p { margin: 0 0 .3rem; font-size: .86rem; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg .strong { fill: var(--text); }
svg .total { fill: var(--text); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); } .even { stroke: var(--text); stroke-dasharray: 3 3; }
.ideal { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 1 4; stroke-linecap: round; }
.series { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--c); stroke: var(--back); stroke-width: 1; } .whisker { stroke: var(--c); stroke-width: 2; }
.part { stroke: var(--back); stroke-width: .6; } .field { fill: none; stroke: var(--line); }
[class^=q] { shape-rendering: crispEdges; } .patterns { position: absolute; width: 0; height: 0; }
.tint { fill: var(--c); } .hatch { stroke: var(--hatch); stroke-width: 1.6; opacity: .55; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .3rem 0; padding: 0;
  font-size: .84rem; }
.legend li { overflow-wrap: anywhere; } .swatch { height: .8em; margin-right: .4em; vertical-align: -.05em; }
.note { color: var(--soft); font-size: .84rem; margin: .2rem 0; }
.scroll { overflow: auto; max-width: 100%; margin: .4rem 0; }
.sorts { font-size: .86rem; font-variant-numeric: tabular-nums; }
.sorts th, .sorts td { white-space: nowrap; padding: .12rem .55rem; } .sorts tbody th { font-weight: 500; }
.sorts .wide { white-space: normal; min-width: 14rem; } th.n { text-align: right; }
.sorts tbody tr:hover { background: var(--head); }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid var(--text); }
th[aria-sort=ascending] button::after { content: ' \\2191'; content: ' \\2191' / ''; }
th[aria-sort=descending] button::after { content: ' \\2193'; content: ' \\2193' / ''; }
details { margin: .3rem 0; } summary { cursor: pointer; color: var(--soft); font-size: .86rem; width: fit-content; }
details .scroll { max-height: 22rem; border: 1px solid var(--line); }
.warning { border-left: 4px solid var(--bad); padding: .2rem .8rem; margin: .6rem 0; }
footer { border-top: 2px solid var(--line); margin-top: 3rem; font-size: .9rem; }
footer dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem; margin: .5rem 0; }
footer dt { color: var(--soft); } footer dd { margin: 0; overflow-wrap: anywhere; }
@page { margin: 12mm; }
@media print {
  ${numbers(STYLES + 1).map((n) => `.f${n} { fill: var(--s${n}); }`).join(' ')}
  .plots { display: block; columns: 2; column-gap: 8mm; } .plot { break-inside: avoid; margin-bottom: 6mm; }
  .plot > svg { max-height: 150mm; }
  .data { display: none; } .scroll { overflow: visible; max-height: none; }
  .sorts { font-size: 6.5pt; } .sorts th, .sorts td { padding: .04rem .16rem; white-space: normal; }
  .sorts .wide { min-width: 0; } thead th { position: static; } th.n { overflow-wrap: anywhere; }
  th button { display: contents; } tr, h2, h3 { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  .mark, .part, path, rect, .sorts { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** What parts of bars are filled with: the page has it once, and they refer to it. */
export function patterns(): string {
  const each = numbers(STYLES + 1).map((n) => {
    const hatch = n % 2 === 1 && n < STYLES ? '<path class="hatch" d="M-1 1l2-2M0 6l6-6M5 7l2-2"/>' : '';
    const size = 'width="6" height="6" patternUnits="userSpaceOnUse"';
    return `<pattern id="p${n}" class="s${n}" ${size}><rect class="tint" width="6" height="6"/>${hatch}</pattern>`;
  });
  return `<svg class="patterns" aria-hidden="true"><defs>${each.join('')}</defs></svg>`;
}
