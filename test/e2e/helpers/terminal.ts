/** terminal.ts — a command on a terminal of its own (script(1) makes one), where ^C can be typed. */
import { cli, type RunOptions, runs, start } from './cli.js';

/** util-linux has -e; others' script is another program */
export const hasTerminal = process.platform === 'linux' && runs('script', '-qec', 'true', '/dev/null');

/**
 * `smpalloc args` as a shell on a terminal would run it; redirections are the shell's.
 * @returns all that appears on the screen as stdout
 */
export function onTerminal(args: string, { env, ...options }: RunOptions = {}) {
  const command = `echo "pid $$"; exec '${process.execPath}' '${cli}' ${args}`;
  const shell = { SHELL: '/bin/sh', ...env };
  const { child, ended } = start('script', ['-qec', command, '/dev/null'], { ...options, env: shell });
  let screen = '';
  child.stdout!.on('data', (text: string) => {
    screen += text;
  });
  return {
    ended,
    screen: () => screen,
    type: (keys: string) => child.stdin!.write(keys),
    /** of smpalloc itself */
    pid: () => Number(/pid (\d+)/.exec(screen)?.[1]),
  };
}

export const CTRL_C = '\x03';
