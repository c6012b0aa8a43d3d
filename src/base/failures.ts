/** failures.ts — classes of what may be wrong with an explored execution, each with its own name. */

export const FAILURE_CLASSES = {
  panic: 'the machine panicked',
  'double-alloc': 'memory is handed out that somebody holds',
  'double-free': 'a block is freed that is not allocated',
  'foreign-free': 'a pointer is freed that is no block',
  'use-after-free': 'memory is accessed by somebody who does not own it any more',
  leak: 'a block belongs to nobody and is on no list',
  'list-corrupt': 'a list has a cycle, a stranger, or an element twice',
  'stats-drift': 'statistics do not balance',
  audit: 'a structure does not keep its identity',
  'data-race': 'two accesses, one a write, not both atomic, neither happens before the other',
  'rule-violation': 'a write against the rule of its line',
  'torn-read': 'half of a value is old',
  deadlock: 'nobody can move',
  'lost-wakeup': 'a CPU sleeps, or a zone is off its list, and there is work nobody will tell of',
  livelock: 'no end',
  'crit-unbalanced': 'a critical section is left open',
  'ipi-dangling': 'a message is on its way about memory that was given back',
  invariant: "the scenario's invariant is broken",
  outcome: 'an outcome the scenario forbids',
  exception: 'an exception',
  nondeterminism: 'an operation depends on more than the memory of the machine',
} as const;
export type FailureClass = keyof typeof FAILURE_CLASSES;
