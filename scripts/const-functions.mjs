/**
 * const-functions.mjs — build step on the finished chunk, for the optimizing compiler (docs/design/building.md).
 *
 * 1  Top-level `function f() {}` becomes `const f = function() {};`. A declaration is a binding that somebody might
 *    assign to, so V8 checks the target of every call to one; a `const` is folded into the caller. Declarations are
 *    hoisted and constants are not, so they are moved to the chunk's top, where a function value does nothing but
 *    exist: the program means what it meant.
 * 2  A function whose name ends in `Slow` is the rare half of a short function. V8 inlines by size and by what
 *    happened while it warmed up, when the rare half is not rare; then the short function becomes too large to be
 *    inlined itself. So slow functions get a call that is never made and whose arguments put them over the size V8
 *    inlines (460 bytes).
 */
import MagicString from 'magic-string';
import { parseAst } from 'rolldown/parseAst';

const NEVER = '__never';
const PADDING = `if (${NEVER}) ${NEVER}(${Array(110).fill(NEVER).join(',')});`;

export function constFunctions() {
  return {
    name: 'const-functions',
    renderChunk(code) {
      const text = new MagicString(code);
      const { body } = parseAst(code);
      const top = body.find((node) => node.type !== 'ImportDeclaration')?.start ?? 0;
      for (const node of body) {
        if (node.type !== 'FunctionDeclaration' || node.generator) continue;
        const { name } = node.id;
        const head = code.slice(node.start, node.body.start);
        const params = head.slice(head.indexOf('('));
        const async = node.async ? 'async ' : '';
        text.overwrite(node.start, node.body.start, `const ${name} = ${async}function${params}`);
        if (name.endsWith('Slow')) text.appendRight(node.body.start + 1, PADDING);
        text.appendLeft(node.end, ';\n');
        if (node.start !== top) text.move(node.start, node.end, top);
      }
      text.append(`\nconst ${NEVER} = false;\n`);
      return { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) };
    },
  };
}
