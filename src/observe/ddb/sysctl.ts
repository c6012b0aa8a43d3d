/** sysctl.ts — `show sysctl`: what the machine answers to by name. */
import { didYouMean } from '../../base/nearest.js';
import type { Memory } from '../memory.js';
import { BINARY_NAMES, observableNames, observe } from '../sysctl.js';
import { type DdbCommand, noMore, wrong } from './command.js';

/** Short values beside their name; of long ones how long they are, unless it is the one that was asked for. */
function shown(memory: Memory, name: string, whole: boolean): string[] {
  const bytes = observe(memory, name);
  if (BINARY_NAMES.includes(name)) return [`${name}: ${bytes.length} bytes`];
  const lines = new TextDecoder().decode(bytes).replace(/^\n|\n$/g, '').split('\n');
  if (lines.length === 1) return [`${name}: ${lines[0]}`];
  return whole ? lines : [`${name}: ${lines.length} lines`];
}

export const SHOW_SYSCTL: DdbCommand = {
  name: 'show sysctl', args: '[NAME]', doc: 'variables: all, or those whose name begins so; of one, all it says',
  run(memory, args) {
    noMore('show sysctl', args, 1);
    const [wanted = ''] = args;
    const names = observableNames();
    if (names.includes(wanted)) return shown(memory, wanted, true);
    const chosen = names.filter((name) => name.startsWith(wanted));
    if (chosen.length === 0) {
      throw wrong(`show sysctl: no variable '${wanted}'; ${didYouMean(wanted, names)}there are ${names.join(', ')}`);
    }
    return chosen.flatMap((name) => shown(memory, name, false));
  },
};
