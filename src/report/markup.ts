/** markup.ts — any text inside XML or HTML, in content and in quoted attributes. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;',
};
/** what XML 1.0 cannot hold, not even escaped: control characters, halves of surrogate pairs, two that are none */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through
const UNSPEAKABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;

export function escapeMarkup(text: string): string {
  return text.replace(UNSPEAKABLE, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** JSON for a <script type="application/json">, which only '</script' or '<!--' could end or confuse. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
