/**
 * sdt.ts — statically defined tracing: places in the engine where somebody outside may want to know (FreeBSD sys/sdt.h).
 *
 * Behind SDT, which only the model's flavour sets: its own file takes this one's place. A probe is no access: it changes
 * neither counts nor time.
 */

/** A block is freed by another CPU than its zone's owner. @param owner word index of the owner's number */
export function sdtRemoteFree(_owner: number): void {}
