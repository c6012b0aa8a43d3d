import { expect, test } from 'vitest';
import { inside } from '../helpers/inside.js';

test('a block freed by another CPU comes home when its owner is told', async () => {
  const m = await inside();
  const type = m.mallocTypeCreate('temp');
  const p = m.kmalloc(100, type, m.M_WAITOK);
  expect(p & 7).toBe(0);
  m.as(1);
  m.kfree(p, type);
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, bytes: 0 });
});
