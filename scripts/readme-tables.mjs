#!/usr/bin/env node
/**
 * readme-tables.mjs — makes the tables of README.md and docs/ again, each with the command that stands above it.
 *
 *   npm run build:js && node scripts/readme-tables.mjs            all of them
 *   node scripts/readme-tables.mjs docs/design/statistics.md      those of some files
 *   node scripts/readme-tables.mjs --list                         the commands, without running them
 *
 *   <!-- table: node dist/cli.js bench -->                        any shell command, run in the project's root
 *   ```text
 *   what it printed, replaced as a whole
 *   ```
 *   <!-- /table -->
 *
 * A command that stands in several places is run once. Exit code 1 (a claim failed) is told and the table stays as it
 * came out; any other failure stops everything before a file is written.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const TABLE = /<!-- table: (.+?) -->\n[\s\S]*?<!-- \/table -->/g;

/** @returns {string[]} paths from the root */
function documents() {
  const pages = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).sort();
  return ['README.md', ...pages.filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`)];
}

/**
 * @param {string} path
 * @returns {string[]} its commands
 */
function commandsOf(path) {
  return [...readFileSync(root + path, 'utf8').matchAll(TABLE)].map((match) => match[1] ?? '');
}

/**
 * @param {string} command
 * @returns {string} what it printed
 */
function run(command) {
  process.stderr.write(`$ ${command}\n`);
  const { status, stdout, error } = spawnSync(command, {
    cwd: root, shell: true, encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (error) throw error;
  if (status === null || status > 1) throw new Error(`'${command}' failed: exit ${status}`);
  if (status === 1) process.stderr.write('  a claim failed: see the table\n');
  return stdout.trimEnd();
}

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const files = wanted.length > 0 ? wanted : documents();
const commands = new Set(files.flatMap(commandsOf));
if (process.argv.includes('--list')) {
  for (const command of commands) process.stdout.write(`${command}\n`);
} else {
  /** @type {Map<string, string>} */
  const outputs = new Map();
  for (const command of commands) outputs.set(command, run(command));
  for (const file of files) {
    const text = readFileSync(root + file, 'utf8');
    const fresh = text.replace(TABLE, (_, command) => {
      return `<!-- table: ${command} -->\n\`\`\`text\n${outputs.get(command)}\n\`\`\`\n<!-- /table -->`;
    });
    if (fresh !== text) writeFileSync(root + file, fresh);
  }
}
