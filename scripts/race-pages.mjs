#!/usr/bin/env node
/**
 * race-pages.mjs — makes docs/races/ and the tables of docs/races.md again, from what was built.
 *
 *   npm run build:js && node scripts/race-pages.mjs     a page for each race of the catalogue
 *   node scripts/race-pages.mjs --check                 says which are out of date, and changes nothing
 *
 * A page is what `smpalloc race show` knows: the lesson in src/lab/catalogue/, the stored token replayed now, the
 * numbers of measured.json. What somebody wrote about a race beyond that is docs/races/notes/NAME.md, and becomes the
 * end of its page. In docs/races.md what stands between these two is replaced:
 *
 *   <!-- races -->                                      or  <!-- programs -->
 *   <!-- /races -->
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogueList, lessonPage, show } from '../dist/race.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGES = 'docs/races';
const INDEX = 'docs/races.md';
const MADE = '<!-- made by scripts/race-pages.mjs: what to edit is named there -->\n\n';

/** @typedef {import('../src/lab/farm/show.js').Listed} Listed */

/** Path from the root -> text; null: it has to go. @returns {Promise<Map<string, string | null>>} */
async function pages() {
  const listed = catalogueList();
  const entries = listed.filter(({ kind }) => kind === 'entry');
  /** @type {Map<string, string | null>} */
  const made = new Map();
  for (const { name } of entries) {
    const notes = `${PAGES}/notes/${name}.md`;
    const text = existsSync(root + notes) ? readFileSync(root + notes, 'utf8') : '';
    made.set(`${PAGES}/${name}.md`, MADE + lessonPage(await show(name), text));
  }
  for (const file of readdirSync(root + PAGES)) {
    const path = `${PAGES}/${file}`;
    if (file.endsWith('.md') && !made.has(path)) made.set(path, null);
  }
  return made.set(INDEX, indexed(readFileSync(root + INDEX, 'utf8'), entries, listed));
}

/**
 * @param {string} text of docs/races.md
 * @param {Listed[]} entries
 * @param {Listed[]} listed
 */
function indexed(text, entries, listed) {
  const programs = listed.filter(({ kind }) => kind === 'program');
  const tables = {
    races: [
      '| | race | kernel | fails as | token | on real threads |', '|---|---|---|---|---|---|', ...entries.map(row),
    ],
    programs: ['| program | what |', '|---|---|', ...programs.map(({ name, title }) => `| ${name} | ${cell(title)} |`)],
  };
  let result = text;
  for (const [name, lines] of Object.entries(tables)) {
    const between = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!between.test(text)) throw new Error(`${INDEX}: <!-- ${name} --> and its end are missing`);
    result = result.replace(between, (_, begin, end) => `${begin}${lines.join('\n')}\n${end}`);
  }
  return result;
}

/** @param {Listed} entry */
function row({ name, title, kernel, failures, seen, unseen }) {
  const fails = [...new Set(failures.map(({ cls }) => cls))].join(', ');
  const tokens = failures.map(({ token }) => `\`${token ?? '?'}\``).join(', ');
  const known = seen === null ? 'not measured yet' : 'not seen';
  const threads = seen ? 'seen' : unseen !== null ? 'cannot show it' : known;
  return `| [${name}](races/${name}.md) | ${cell(title)} | ${kernel} | ${fails} | ${tokens} | ${threads} |`;
}

/** @param {string} text */
const cell = (text) => text.replace(/[\\*|<>]/g, '\\$&');

const fresh = [...(await pages())].filter(([path, text]) => {
  const old = existsSync(root + path) ? readFileSync(root + path, 'utf8') : null;
  return old !== text;
});
if (process.argv.includes('--check')) {
  for (const [path, text] of fresh) {
    const what = text === null ? 'is of no race' : 'is out of date';
    process.stdout.write(`${path} ${what}: npm run build:js && node scripts/race-pages.mjs\n`);
  }
  process.exitCode = fresh.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of fresh) {
    if (text === null) rmSync(root + path);
    else writeFileSync(root + path, text);
  }
  process.stdout.write(`${fresh.length} files changed\n`);
}
