/**
 * profiles.ts — the cost profiles that come with the project, and those of the user's own: checked the same way.
 *
 * A profile is a JSON file in the shape of profile.ts. What is checked is what the model relies on: every cost is
 * there, costs are finite and not negative, farther transfers are not cheaper than nearer ones.
 */
import * as v from 'valibot';
import { SmpallocError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest.js';
import type { Cost, CostProfile } from './profile.js';
import chiplets from './profiles/chiplets.json' with { type: 'json' };
import oneSocket from './profiles/one-socket.json' with { type: 'json' };
import twoSockets from './profiles/two-sockets.json' with { type: 'json' };

/** in the order of CostProfile, which is the order they are shown in */
export const COSTS = [
  'access', 'locked', 'memory', 'transferCluster', 'transferSocket', 'transferRemote', 'pause', 'ipiSend', 'ipiDeliver',
  'ipiEntry', 'futexWait', 'futexNotify', 'futexWake',
] as const satisfies readonly Cost[];

const MOST_CPUS = 256;
const MOST_NS = 1e9;

const text = v.pipe(v.string(), v.nonEmpty('is empty'));
const count = v.pipe(
  v.number(), v.integer('is not a whole number'), v.minValue(1, 'is below 1'), v.maxValue(MOST_CPUS, 'is above 256'),
);
const ns = v.pipe(v.number(), v.minValue(0, 'is below 0'), v.maxValue(MOST_NS, 'is above a second'));
const aCost = <T>(schema: T) => Object.fromEntries(COSTS.map((cost) => [cost, schema])) as Record<Cost, T>;

const ProfileSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'is not a name (letters, digits, dots and dashes)')),
  title: text,
  cluster: count,
  sockets: count,
  ns: v.strictObject(aCost(ns)),
  sources: v.strictObject(aCost(text)),
});

/** nearest first */
const TRANSFERS = ['access', 'transferCluster', 'transferSocket', 'transferRemote'] as const;

/**
 * A profile from what a JSON file holds.
 * @param path of the file, for messages
 * @throws SmpallocError ESMP_INPUT naming the field that is wrong
 */
export function parseProfile(json: unknown, path = 'profile'): CostProfile {
  const result = v.safeParse(ProfileSchema, json);
  if (!result.success) throw new SmpallocError('ESMP_INPUT', `${path}: ${wrong(result.issues[0])}`);
  const profile = result.output;
  for (const [n, cost] of TRANSFERS.entries()) {
    const near = TRANSFERS[n - 1];
    if (near === undefined || profile.ns[cost] >= profile.ns[near]) continue;
    const less = `${profile.ns[cost]} is less than ns.${near}, which is ${profile.ns[near]}`;
    throw new SmpallocError('ESMP_INPUT', `${path}: ns.${cost}: ${less}`);
  }
  return profile;
}

function wrong(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue) ?? 'the file';
  const { expected, received, message } = issue;
  if (issue.type === 'strict_object' && expected === 'never') return `${field}: there is no such field`;
  if (received === 'undefined') return `${field}: is missing`;
  if (issue.kind === 'schema') return `${field}: expected ${expected?.toLowerCase()}, found ${received}`;
  return `${field}: ${JSON.stringify(issue.input)} ${message}`;
}

const PROFILES: readonly CostProfile[] = [oneSocket, chiplets, twoSockets].map((json) => parseProfile(json));

/** Profiles that come with the project; `host` is measured (host/probe.ts). */
export const PROFILE_NAMES: readonly string[] = PROFILES.map(({ name }) => name);

/** @throws SmpallocError ESMP_OPTION naming the profiles there are */
export function profileByName(name: string): CostProfile {
  const profile = PROFILES.find((one) => one.name === name);
  if (profile) return profile;
  const names = PROFILE_NAMES.join(', ');
  throw new SmpallocError('ESMP_OPTION', `no profile '${name}'; ${didYouMean(name, PROFILE_NAMES)}there are ${names}`);
}
