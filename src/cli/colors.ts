/**
 * colors.ts — colours where a terminal shows them: NO_COLOR and FORCE_COLOR decide, else the stream that is written to.
 *
 * picocolors' own guess is made for stdout alone, and takes CI for a terminal: a record in a file must stay plain.
 */
import pico from 'picocolors';

type Stream = NodeJS.WriteStream & { isTTY?: boolean };

export function colorsFor(stream: Stream): ReturnType<typeof pico.createColors> {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return pico.createColors(false);
  if (FORCE_COLOR) return pico.createColors(FORCE_COLOR !== '0' && FORCE_COLOR !== 'false');
  return pico.createColors(stream.isTTY === true && TERM !== 'dumb');
}
