/** race_junit.ts — explorations as JUnit XML, which is what CI servers read: a testcase a scenario. */
import type { Exploration } from '../lab/result.js';
import { escapeMarkup } from './markup.js';
import { counterexampleText, explorationText, failedClasses } from './race_text.js';
import type { Paint } from './text.js';

const same = (text: string): string => text;
const PLAIN: Paint = { good: same, bad: same, strong: same, dim: same };
/** a CI server's page scrolls */
const WIDTH = 200;

export function raceJunit(explorations: readonly Exploration[]): string {
  const count = (verdict: string) => explorations.filter((x) => x.verdict === verdict).length;
  const seconds = explorations.reduce((sum, x) => sum + x.seconds, 0);
  const totals = attributes({
    name: 'smpalloc race', tests: explorations.length, failures: count('fail'), errors: 0, skipped: count('budget'),
    time: seconds.toFixed(3),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${totals}>`,
    `  <testsuite${totals}>`,
    ...explorations.map(testcase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testcase(x: Exploration): string {
  const name = x.defects.length === 0 ? x.scenario : `${x.scenario} with ${x.defects.join(', ')}`;
  const { free, stats } = x.machine;
  const open = `    <testcase${attributes({ name, classname: `race.${free}.${stats}`, time: x.seconds.toFixed(3) })}`;
  const inside = x.verdict === 'fail' ? failure(x) : x.verdict === 'budget' ? skipped(x) : output(x);
  return `${open}>\n${inside}\n    </testcase>`;
}

function failure(x: Exploration): string {
  const message = x.counterexamples[0]?.message ?? 'executions failed; no counterexample was kept';
  const texts = x.counterexamples.map((c) => counterexampleText(c, x.scenario, PLAIN, { width: WIDTH }).join('\n'));
  const text = [explorationText(x, PLAIN).join('\n'), ...texts].join('\n\n');
  return `      <failure${attributes({ type: failedClasses(x), message })}>${escapeMarkup(text)}</failure>`;
}

function skipped(x: Exploration): string {
  const message = `no verdict: the budget ended after ${x.executions} schedules, none of which failed`;
  return `      <skipped${attributes({ message })}/>`;
}

function output(x: Exploration): string {
  return `      <system-out>${escapeMarkup(explorationText(x, PLAIN).join('\n'))}</system-out>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`).join('');
}
