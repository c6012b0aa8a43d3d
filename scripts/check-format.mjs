/**
 * check-format.mjs — the formatting we agreed on. Biome lints but does not format here: its formatter would write long
 * import lists and tables one name a line.
 *
 *   columns   110 aimed at, 120 at the most        ends     LF, a newline after the last line, no blanks before it
 *   indent    two spaces, no tabs                  quotes   single in imports and exports
 *   length    a file of more than 400 lines is worth a second thought (a warning)
 *
 * @typedef {import('./sources.mjs').Sources} Sources
 * @typedef {import('./sources.mjs').Violation} Violation
 */
import { conclude, isMain, readSources } from './sources.mjs';

const MOST_COLUMNS = 120;
const AIMED_COLUMNS = 110;
const MOST_LINES = 400;

const columns = (/** @type {string} */ line) => [...line].length;

/** one string literal, such as a line of a recorded trace, or a test's title */
const UNBREAKABLE = /^\s*(?:'[^']*'[,;]?|(?:test|it|describe)\b.*['`], (?:async )?\(.*\) => \{)$/;

/** @type {readonly (readonly [isWrong: (line: string) => boolean, what: string, right: string])[]} */
const LINE_RULES = [
  [
    (line) => columns(line) > MOST_COLUMNS && !UNBREAKABLE.test(line),
    `wider than ${MOST_COLUMNS} columns`, `aim at ${AIMED_COLUMNS}`,
  ],
  [(line) => line.includes('\t'), 'a tab', 'two spaces, or \\t in a string'],
  [(line) => line.includes('\r'), 'a carriage return', 'end lines with LF'],
  [(line) => /[ \t]$/.test(line), 'blanks at the end', 'remove them'],
  [(line) => /^(import|export|\}) ?.*\bfrom "|^import "/.test(line), 'double quotes', "import ... from './x.js'"],
];

/**
 * @param {Sources} sources
 * @returns {Violation[]}
 */
export function checkFormat(sources) {
  /** @type {Violation[]} */
  const violations = [];
  for (const [file, text] of sources) {
    const lines = text.split('\n');
    const complain = (/** @type {number} */ line, /** @type {string} */ what, /** @type {string} */ right) =>
      violations.push({ file, line, what, right });
    for (const [n, line] of lines.entries()) {
      for (const [isWrong, what, right] of LINE_RULES) if (isWrong(line)) complain(n + 1, what, right);
    }
    if (!text.endsWith('\n')) complain(lines.length, 'no newline at the end', 'add one');
    if (text.endsWith('\n\n')) complain(lines.length - 1, 'empty lines at the end', 'end with one newline');
  }
  return violations;
}

/**
 * What is allowed but not liked.
 * @param {Sources} sources
 * @returns {string[]}
 */
export function formatWarnings(sources) {
  const warnings = [];
  let wide = 0;
  for (const [file, text] of sources) {
    const lines = text.split('\n');
    if (lines.length - 1 > MOST_LINES) warnings.push(`${file}: warning: ${lines.length - 1} lines; is it one subject?`);
    wide += lines.filter((line) => columns(line) > AIMED_COLUMNS).length;
  }
  if (wide > 0) warnings.push(`format: ${wide} lines wider than ${AIMED_COLUMNS} columns`);
  return warnings;
}

if (isMain(import.meta)) {
  const folders = ['', 'src', 'workers', 'bench', 'scripts', 'test', 'examples'];
  const sources = readSources(folders, ['.ts', '.mts', '.mjs', '.js']);
  for (const warning of formatWarnings(sources)) console.log(warning);
  conclude('format', checkFormat(sources), `${sources.size} files`);
}
