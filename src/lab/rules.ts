/** rules.ts — the layouts' line rules, checked at every write. Until observe/symbols is there: none. */
import type { SteppedMachine } from './stepped.js';

export type RuleCheck = (word: number, kind: number, cpu: number) => string;

export function ruleChecker(_machine: SteppedMachine): RuleCheck | null {
  return null;
}
