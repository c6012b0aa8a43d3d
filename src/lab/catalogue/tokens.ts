/**
 * tokens.ts — known failures: of each scenario and defect, the smallest schedule that shows it. `race regress` replays
 * them all; this list is written by `smpalloc race regress --update`.
 */
import type { FailureClass } from '../../base/failures.js';

export interface StoredToken {
  readonly scenario: string;
  /** switched on; none where the scenario fails by itself */
  readonly defects: readonly string[];
  readonly cls: FailureClass;
  readonly token: string;
}

export const TOKENS: readonly StoredToken[] = [
  { scenario: 'R1', defects: ['R1'], cls: 'stats-drift', token: '31b' },
  { scenario: 'R1-race', defects: ['R1'], cls: 'data-race', token: '-' },
  { scenario: 'R2', defects: ['R2'], cls: 'stats-drift', token: '4q' },
  { scenario: 'R2-interrupt', defects: ['R2'], cls: 'stats-drift', token: '4i' },
  { scenario: 'R3', defects: ['R3'], cls: 'torn-read', token: '30b' },
  { scenario: 'R4', defects: ['R4'], cls: 'stats-drift', token: 'ca' },
  { scenario: 'R34', defects: ['R34'], cls: 'panic', token: 'b' },
  { scenario: 'R38', defects: ['R38'], cls: 'use-after-free', token: 'b18a' },
  { scenario: 'R38-rchunks', defects: [], cls: 'use-after-free', token: 'b18a' },
  { scenario: 'R39', defects: ['R39'], cls: 'stats-drift', token: '13b' },
  { scenario: 'R39-race', defects: ['R39'], cls: 'data-race', token: '-' },
  { scenario: 'R40', defects: ['R40'], cls: 'lost-wakeup', token: 'b19a' },
  { scenario: 'R40-rchunks', defects: [], cls: 'lost-wakeup', token: 'b17a' },
  { scenario: 'R40-rcount', defects: [], cls: 'lost-wakeup', token: 'b18a' },
  { scenario: 'R40-rcount-stays', defects: [], cls: 'lost-wakeup', token: 'b18a/a1.b1.b2' },
  { scenario: 'R41', defects: ['R41'], cls: 'double-alloc', token: '2b' },
  { scenario: 'R42', defects: ['R42'], cls: 'ipi-dangling', token: 'b' },
  { scenario: 'R43', defects: ['R43'], cls: 'panic', token: '69b' },
  { scenario: 'R43-race', defects: ['R43'], cls: 'data-race', token: '-' },
  { scenario: 'R44', defects: ['R44'], cls: 'double-free', token: '-' },
  { scenario: 'R45', defects: ['R45'], cls: 'deadlock', token: '-' },
  { scenario: 'R46', defects: ['R46'], cls: 'deadlock', token: '-' },
  { scenario: 'R47', defects: ['R47'], cls: 'lost-wakeup', token: 'i28b' },
  { scenario: 'R48', defects: ['R48'], cls: 'lost-wakeup', token: 'i' },
  { scenario: 'R49', defects: ['R49'], cls: 'use-after-free', token: '85a' },
  { scenario: 'R50', defects: ['R50'], cls: 'deadlock', token: '98a' },
  { scenario: 'R51', defects: ['R51'], cls: 'panic', token: '-' },
  { scenario: 'R52', defects: ['R52'], cls: 'panic', token: '-' },
  { scenario: 'ipi-lost', defects: ['early-look'], cls: 'deadlock', token: '1b' },
  { scenario: 'late-link', defects: ['link-last'], cls: 'data-race', token: '-' },
  { scenario: 'litmus-mp', defects: ['plain'], cls: 'data-race', token: '-' },
  { scenario: 'litmus-sb', defects: ['plain'], cls: 'outcome', token: '-' },
  { scenario: 'lost-take', defects: ['load-store'], cls: 'leak', token: 'cb' },
  { scenario: 'slub2008-aba', defects: ['no-section'], cls: 'double-alloc', token: 'b21i' },
  { scenario: 'stale-next', defects: ['link-once'], cls: 'list-corrupt', token: '5c' },
];
