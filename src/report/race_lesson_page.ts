/** race_lesson_page.ts — a race of the catalogue as a page of docs/races/, in Markdown (scripts/race-pages.mjs). */
import type { Listed, Shown, ShownFailure } from '../lab/farm/show.js';
import {
  flagOf, mistakeText, NOTHING, scheduleText, tryLines, variantText, variantTitle, whence,
} from './race_lesson.js';
import { costText, exploredTexts, stressTable, threadsText } from './race_measured.js';
import { plural } from './race_text.js';
import type { Paint } from './text.js';

const COLUMNS = 118;
const same = (text: string): string => text;
const plain: Paint = { good: same, bad: same, strong: same, dim: same };

/** @param notes what is known beyond that, in Markdown: its headings go one level down; '' where there is nothing */
export function lessonPage(x: Shown, notes = ''): string {
  const { name, title, story, fix, cpus, failures, variants } = x;
  const parts = [
    `# ${name}: ${inline(title)}`,
    `*${inline(whence(x))}*`,
    story.map(inline).join('\n'),
    '## How it fails',
    ...failures.map((failure) => `**${failure.cls}**: ${failure.means}. ${withSentence(failure)}`),
    ...failures.map((failure) => schedule(x, failure)),
    `Taking part: ${cpus.map(inWords).join(', ')}.`,
    '## The fix',
    inline(fix ?? ''),
    `What it costs: ${inline(costText(x.measured))}.`,
    '## On real threads',
    inline(sentence(threadsText(x))),
    ...measured(x),
    ...(variants.length > 0 ? ['## Variants', variantTable(variants, title)] : []),
    '## To try',
    fenced('sh', tryLines(x).map((words) => words.join('  '))),
    ...(notes === '' ? [] : [demoted(notes)]),
    '[All races](../races.md)',
  ];
  return `${parts.join('\n\n')}\n`;
}

const inWords = ({ title, operations }: Shown['cpus'][number]): string =>
  inline(`${title} (${operations.join('; ') || NOTHING})`);

function withSentence(failure: ShownFailure): string {
  const { defects } = failure;
  if (defects.length === 0) return 'It does so as it was committed.';
  return `It takes \`--defect ${defects.join(',')}\` (${inline(mistakeText(failure))}).`;
}

function schedule(x: Shown, failure: ShownFailure): string {
  const { counterexample: c, token } = failure;
  if (c === null) return 'No schedule is stored yet.';
  const size = `${plural(c.switches, 'switch', 'switches')}, ${plural(c.preemptions, 'preemption')}`;
  return [
    `The smallest schedule that shows it, ${size} ([how to read it](../races.md#how-to-read-a-schedule)):`, '',
    fenced('text', [
      ...scheduleText(failure, plain, COLUMNS, false),
      `replay: smpalloc race replay ${x.name} ${token}${flagOf(failure)}`,
    ]),
  ].join('\n');
}

function measured({ measured: known, environment }: Shown): string[] {
  if (known === null) return [];
  const texts = [...exploredTexts(known), ...(known.power ? [known.power] : [])];
  const bullets = texts.map((text) => `* ${inline(sentence(text))}`);
  const tables = (known.stress ?? []).map((run) => fenced('text', stressTable(run)));
  const parts = [bullets.join('\n'), ...tables];
  if (environment) {
    const { node, cpu, cores, date } = environment;
    parts.push(inline(`Measured with Node ${node} on ${cpu}, ${cores} cores, ${date}.`));
  }
  return parts.filter((part) => part !== '');
}

function variantTable(variants: readonly Listed[], title: string): string {
  const rows = variants.map((one) => {
    const cells = [`\`${one.name}\``, variantText(one), inline(variantTitle(one, title)), inline(one.origin)];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| scenario | verdict | what | from |', '|---|---|---|---|', ...rows].join('\n');
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

const fenced = (language: string, lines: readonly string[]): string =>
  [`\`\`\`${language}`, ...lines, '```'].join('\n');

/** Text that may hold what Markdown would take for its own. */
function inline(text: string): string {
  return text.replace(/[\\*|<>]/g, '\\$&');
}

/** Headings one level down; code is left alone. */
function demoted(markdown: string): string {
  let code = false;
  return markdown.trimEnd().split('\n').map((line) => {
    if (line.startsWith('```')) code = !code;
    return !code && line.startsWith('#') ? `#${line}` : line;
  }).join('\n');
}
