/** vmstat.ts — smpalloc vmstat SOURCE: memory by type (-m) and by zone (-z), as that kernel's vmstat prints it. */
import type { CAC } from 'cac';
import type { OpenSource } from '../host/sysctl_source.js';
import { memstatMtlAlloc } from '../observe/memstat/list.js';
import { memstatKvmMalloc, memstatSysctlMalloc } from '../observe/memstat/malloc.js';
import { readText } from '../observe/memstat/source.js';
import { memstatKvmUma, memstatSysctlUma } from '../observe/memstat/uma.js';
import type { SlabClass } from '../observe/slab_classes.js';
import type { MachineFacts } from '../observe/sysctl.js';
import { dragonflyM, dragonflyZ, typeJson, vmstatM, vmstatZ, zoneJson } from '../observe/vmstat.js';
import { UsageError } from './exit.js';
import type { Session } from './session.js';
import { checked, factsOf, openFor, watch, type WatchFlags } from './watch.js';

interface VmstatFlags extends WatchFlags {
  malloc?: boolean;
  zones?: boolean;
}

export function vmstatCommand(cli: CAC, session: Session): void {
  cli
    .command('vmstat <source>', 'Memory by type and by zone: of a live machine (--listen), a core dump, a saved stream')
    .option('-m, --malloc', 'malloc types (default: both)')
    .option('-z, --zones', "UMA's zones; of the slab allocator, its classes of chunks")
    .option('-w, --wait <TIME>', "show it again every so often, such as '1s'")
    .option('-c, --count <N>', 'so often; without -w once a second')
    .option('--json', 'one JSON text a view')
    .example('smpalloc bench larson --listen /tmp/machine & smpalloc vmstat /tmp/machine -m -w 1')
    .example('smpalloc vmstat vmcore -z                       # a core dump')
    .example('smpalloc sysctl /tmp/machine vm.zone_stats | smpalloc vmstat - -z')
    .action((path: string, flags: VmstatFlags) => session.run(() => vmstat(path, flags, session)));
}

async function vmstat(path: string, flags: VmstatFlags, session: Session): Promise<number> {
  const open = await openFor(path, session);
  const view = new View(path, open, await factsOf(open));
  const both = !flags.malloc && !flags.zones;
  const wanted = {
    types: flags.malloc === true || (both && view.has('kern.malloc_stats')),
    zones: flags.zones === true || (both && view.has('vm.zone_stats')),
  };
  if (flags.malloc && !view.has('kern.malloc_stats')) throw missing(path, '-m', 'kern.malloc_stats', 'vm.zone_stats');
  if (flags.zones && !view.has('vm.zone_stats')) throw missing(path, '-z', 'vm.zone_stats', 'kern.malloc_stats');
  return watch(open, flags, session, async () => {
    if (flags.json) return `${JSON.stringify(await view.json(wanted))}\n`;
    return `${(await view.texts(wanted)).join('\n')}`;
  });
}

function missing(path: string, flag: string, wanted: string, there: string): UsageError {
  return new UsageError(`vmstat ${flag}: ${path} is a stream of ${there}; expected one of ${wanted}`);
}

interface Wanted {
  readonly types: boolean;
  readonly zones: boolean;
}

/** The lists of one source; a view after the first updates them. */
class View {
  readonly #path: string;
  readonly #open: OpenSource;
  readonly #facts: MachineFacts | null;
  readonly #types = memstatMtlAlloc();
  readonly #zones = memstatMtlAlloc();

  constructor(path: string, open: OpenSource, facts: MachineFacts | null) {
    this.#path = path;
    this.#open = open;
    this.#facts = facts;
  }

  has(name: string): boolean {
    return this.#open.names.includes(name);
  }

  get #dragonfly(): boolean {
    return this.#facts?.alloc === 'dragonfly';
  }

  async texts({ types, zones }: Wanted): Promise<string[]> {
    const texts: string[] = [];
    if (types) texts.push(await this.#typesText());
    if (zones) texts.push(this.#dragonfly ? dragonflyZ(await this.#classes()) : vmstatZ(await this.#queryZones()));
    return texts;
  }

  async json({ types, zones }: Wanted): Promise<Record<string, unknown>> {
    return {
      machine: this.#facts,
      ...(types && { types: (await this.#queryTypes()).map(typeJson) }),
      ...(zones && !this.#dragonfly && { zones: (await this.#queryZones()).map(zoneJson) }),
      ...(zones && this.#dragonfly && { classes: await this.#classes() }),
    };
  }

  async #typesText(): Promise<string> {
    const types = await this.#queryTypes();
    if (!this.#dragonfly) return vmstatM(types);
    return dragonflyM(types, JSON.parse(await readText(this.#open.source, 'kern.malloc_limit')));
  }

  async #queryTypes() {
    const { memory, source } = this.#open;
    const result = memory ? memstatKvmMalloc(this.#types, memory) : await memstatSysctlMalloc(this.#types, source);
    checked(result, this.#types, this.#path, 'malloc types', this.#open);
    return [...this.#types];
  }

  async #queryZones() {
    const { memory, source } = this.#open;
    const result = memory ? memstatKvmUma(this.#zones, memory) : await memstatSysctlUma(this.#zones, source);
    checked(result, this.#zones, this.#path, 'zones', this.#open);
    return [...this.#zones];
  }

  async #classes(): Promise<SlabClass[]> {
    return JSON.parse(await readText(this.#open.source, 'kern.slab.classes'));
  }
}
