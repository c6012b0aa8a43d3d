/** job.ts — a cell of the model as a job: what a lane of the farm does. */
import { CELL_DONE, CELL_PART, CELL_STOP } from '../../host/model_farm.js';
import { type Answer, plainError } from '../../host/plain_error.js';
import { runCell } from './cell.js';
import type { Cell } from './measure.js';
import type { ModelRow } from './row.js';

/** of a cell, in thousandths, when its parts begin */
const PARTS = { 'warm-up': 50, measurement: 350, audit: 950 } as const;

export interface CellTask extends Cell {
  readonly beat: Int32Array;
}

export async function modelJob({ beat, ...cell }: CellTask): Promise<Answer<ModelRow>> {
  const watcher = {
    goesOn(done: number): boolean {
      Atomics.store(beat, CELL_DONE, done);
      return Atomics.load(beat, CELL_STOP) === 0;
    },
    begins(what: keyof typeof PARTS): void {
      Atomics.store(beat, CELL_PART, PARTS[what]);
    },
  };
  try {
    return { ok: true, value: await runCell(cell, watcher) };
  } catch (cause) {
    return { ok: false, error: plainError(cause) };
  }
}
