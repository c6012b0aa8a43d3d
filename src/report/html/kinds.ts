/** kinds.ts — the drawings there are, in the order they stand in, and what a record needs for one. */
import type { ModelRow } from '../../lab/model/row.js';
import type { RunRecord } from '../record.js';
import type { Detail } from './detail.js';
import type { Figure } from './figure.js';
import { latencyFigures } from './plot_latency.js';
import { messagesFigures } from './plot_messages.js';
import { timeFigures, transfersFigures } from './plot_parts.js';
import { remoteFigures } from './plot_remote.js';
import { throughputFigures } from './plot_throughput.js';
import { modelMessageFigures, pairFigures, ratioFigures, traceFigures } from './plot_timed.js';
import { wasteFigures } from './plot_waste.js';
import { zonesFigures } from './plot_zones.js';
import { type AnyRow, groupBy, modelRows, rowsOf, suiteRows } from './rows.js';

/** Of what ran on threads. */
interface SuiteKind {
  readonly name: string;
  readonly needs: string;
  readonly make: (rows: readonly AnyRow[]) => Figure[];
}

/** Of a workload of the model under one cost profile. */
interface ModelKind {
  readonly name: string;
  readonly needs: string;
  readonly make: (rows: readonly ModelRow[], detail: Detail) => Figure[];
}

const SUITE_KINDS: readonly SuiteKind[] = [
  { name: 'messages of traces', needs: 'bench ipi, or replay --free with several policies', make: traceFigures },
  { name: 'ratios', needs: 'bench stats, or bench pair --alloc dragonfly,freebsd', make: ratioFigures },
  { name: 'nanoseconds a pair', needs: 'bench pair', make: pairFigures },
  { name: 'waste by size', needs: '--profile', make: wasteFigures },
];

/** two and two they are about as high */
const MODEL_KINDS: readonly ModelKind[] = [
  { name: 'throughput against CPUs', needs: 'model --cpus 1,2,4,8', make: throughputFigures },
  { name: 'latency', needs: 'model', make: latencyFigures },
  { name: 'transfers by structure', needs: 'model', make: transfersFigures },
  { name: 'where the time goes', needs: 'model', make: timeFigures },
  { name: 'messages a remote free', needs: 'model ring --free ipi,rchunks', make: modelMessageFigures },
  { name: 'remote frees, CPU by CPU', needs: 'model, a workload with remote frees', make: remoteFigures },
  { name: 'zones over time', needs: 'model --alloc dragonfly', make: zonesFigures },
];

const MESSAGES = 'messages against signal latency';
const MESSAGES_NEED = 'model --signal-delay 0,30,1000, or several records of bench ring --signal-delay N';

export interface Group {
  readonly title: string;
  readonly figures: readonly Figure[];
}

export interface Drawn {
  readonly groups: readonly Group[];
  /** kinds of which there is none, and what would make one */
  readonly missing: readonly { readonly name: string; readonly needs: string }[];
}

/** All drawings of a record. */
export function drawings(record: Pick<RunRecord, 'rows' | 'config'>, detail: Detail): Drawn {
  const rows = rowsOf(record);
  const absent = new Map([...SUITE_KINDS, ...MODEL_KINDS].map(({ name, needs }) => [name, needs]));
  const drawn = (name: string, figures: Figure[]) => {
    if (figures.length > 0) absent.delete(name);
    return figures;
  };
  const measured = suiteRows(rows);
  const suites = SUITE_KINDS.flatMap(({ name, make }) => drawn(name, make(measured)));
  const workloads = [...groupBy(modelRows(rows), ({ workload, costs }) => `${workload}, costs ${costs}`)];
  const signals = messagesFigures([record]);
  const groups = [
    { title: 'Measured', figures: suites }, { title: 'Signal latency', figures: signals },
    ...workloads.map(([title, same]) => (
      { title, figures: MODEL_KINDS.flatMap(({ name, make }) => drawn(name, make(same, detail))) }
    )),
  ];
  const missing = [...absent].map(([name, needs]) => ({ name, needs }));
  if (signals.length === 0) missing.push({ name: MESSAGES, needs: MESSAGES_NEED });
  return { groups: groups.filter(({ figures }) => figures.length > 0), missing };
}
