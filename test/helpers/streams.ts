/**
 * streams.ts — kern.malloc_stats and vm.zone_stats taken apart by their published layouts alone: tables of field, type
 * and order, and nothing of the code that writes them.
 */
type Field = readonly [name: string, type: 'u32' | 'u64' | `char ${number}` | `skip ${number}`];
export type Values = Record<string, number | bigint | string>;

const HEADER: readonly Field[] = [['version', 'u32'], ['maxcpus', 'u32'], ['count', 'u32'], ['pad', 'u32']];

const MALLOC_TYPE: readonly Field[] = [['name', 'char 32']];
const MALLOC_CPU: readonly Field[] = [
  ['memalloced', 'u64'], ['memfreed', 'u64'], ['numallocs', 'u64'], ['numfrees', 'u64'], ['size', 'u64'],
  ['reserved1', 'u64'], ['reserved2', 'u64'], ['reserved3', 'u64'],
];

const UMA_TYPE: readonly Field[] = [
  ['name', 'char 32'],
  ['align', 'u32'], ['size', 'u32'], ['rsize', 'u32'], ['maxpages', 'u32'], ['limit', 'u32'], ['pages', 'u32'],
  ['keg_free', 'u32'], ['zone_free', 'u32'], ['bucketsize', 'u32'], ['zone_flags', 'u32'],
  ['allocs', 'u64'], ['frees', 'u64'], ['fails', 'u64'], ['sleeps', 'u64'], ['reserved1', 'u64'], ['reserved2', 'u64'],
];
const UMA_CPU: readonly Field[] = [
  ['allocs', 'u64'], ['frees', 'u64'], ['cache_free', 'u64'], ['reserved1', 'u64'], ['reserved2', 'u64'],
  ['reserved3', 'u64'], ['reserved4', 'u64'], ['reserved5', 'u64'],
];

export interface Parsed {
  header: Values;
  records: { type: Values; cpus: Values[] }[];
}

export const parseMalloc = (bytes: Uint8Array): Parsed => parse(bytes, MALLOC_TYPE, MALLOC_CPU);
export const parseUma = (bytes: Uint8Array): Parsed => parse(bytes, UMA_TYPE, UMA_CPU);

function parse(bytes: Uint8Array, typeFields: readonly Field[], cpuFields: readonly Field[]): Parsed {
  const buffer = Buffer.from(bytes);
  let at = 0;
  const take = (fields: readonly Field[]): Values => {
    const values: Values = {};
    for (const [name, type] of fields) {
      if (type === 'u32') values[name] = buffer.readUInt32LE(at);
      else if (type === 'u64') values[name] = buffer.readBigUInt64LE(at);
      else {
        const raw = buffer.subarray(at, at + Number(type.split(' ')[1]));
        if (raw.indexOf(0) < 0) throw new Error(`${name}: no NUL`);
        values[name] = raw.toString('latin1', 0, raw.indexOf(0));
      }
      at += type === 'u32' ? 4 : type === 'u64' ? 8 : Number(type.split(' ')[1]);
    }
    return values;
  };
  const header = take(HEADER);
  const records = Array.from({ length: Number(header.count) }, () => ({
    type: take(typeFields), cpus: Array.from({ length: Number(header.maxcpus) }, () => take(cpuFields)),
  }));
  if (at !== buffer.length) throw new Error(`${buffer.length - at} bytes too many`);
  return { header, records };
}
