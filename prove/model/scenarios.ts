import type { Setting } from './activity.ts';
import { FLAWS, type Flaw } from './flaws.ts';
import { COPY, EARLIER, LIMITS, type Limits, newRun, noBackup, type World } from './world.ts';

/** A first world, and the events that may follow. */
export interface Scenario {
  kind: Setting['kind'];
  /** The runs that may be requested, and which of them are full. */
  full: boolean[];
  /** The content of the vault: nothing, the present version, or an older one, which is published. */
  vault: 'empty' | 'same' | 'older';
  limits: Partial<Limits>;
}

export function settingOf({ kind, full }: Scenario, flaw?: Flaw): Setting {
  return { kind, full: [...full, false], flaw };
}

export function worldOf({ full, vault, limits }: Scenario): World {
  const held = vault !== 'empty';
  return {
    source: vault === 'older' ? 2 : 1,
    backup: held
      ? { etag: 1, record: 1, run: EARLIER, content: 1, copyId: 1, copyStatus: COPY.success, copyOf: 0 }
      : noBackup(),
    kept: 0,
    published: held ? 2 : 0,
    lock: { version: 0, epoch: 0, holder: -1, cancel: 0, last: -1 },
    runs: full.map(newRun),
    left: { ...(Object.fromEntries(LIMITS.map((name) => [name, 0])) as unknown as Limits), ...limits },
    nextEtag: 2,
    nextCopy: 2,
  };
}

export function nameOf({ kind, full, vault, limits }: Scenario): string {
  const runs = full.map((each) => (each ? 'full' : 'incremental')).join(' and ');
  const may = Object.entries(limits).map(([name, count]) => `${count} ${name}`);
  return `${kind}, ${runs}, vault ${vault}${may.length > 0 ? `, ${may.join(', ')}` : ''}`;
}

/** Each scenario has a setting of its own, so no world is visited in two of them. */
export const NORMAL: Scenario[] = [
  { kind: 'small', full: [true, false], vault: 'same', limits: { terminations: 1, lost: 1 } },
  { kind: 'small', full: [false, true], vault: 'same', limits: { forced: 1, crashes: 1 } },
  { kind: 'small', full: [false, false], vault: 'older', limits: { terminations: 1, changes: 1 } },
  { kind: 'small', full: [false], vault: 'older', limits: { changes: 2, doubles: 1, crashes: 1 } },
  { kind: 'small', full: [true], vault: 'same', limits: { lost: 2, doubles: 1, problems: 1 } },
  { kind: 'large', full: [true, false], vault: 'same', limits: { cancels: 1, crashes: 1 } },
  { kind: 'large', full: [false, true], vault: 'same', limits: { terminations: 1, failures: 1 } },
  { kind: 'large', full: [false, false], vault: 'older', limits: { problems: 1, crashes: 1 } },
  { kind: 'large', full: [true], vault: 'same', limits: { failures: 1, changes: 1, doubles: 1 } },
  { kind: 'large', full: [false], vault: 'empty', limits: { failures: 2, stuck: 1, strangers: 1, lost: 1 } },
  { kind: 'page', full: [true], vault: 'same', limits: { failures: 2, stuck: 1, strangers: 1, changes: 1 } },
  { kind: 'page', full: [true, false], vault: 'older', limits: { terminations: 1 } },
];

export const NIGHT: Scenario[] = [
  { kind: 'small', full: [true, false], vault: 'same', limits: { terminations: 1, lost: 1, changes: 1 } },
  { kind: 'small', full: [false, true], vault: 'same', limits: { forced: 1, crashes: 1, changes: 1 } },
  { kind: 'small', full: [false, false], vault: 'older', limits: { terminations: 1, changes: 1, crashes: 1 } },
  { kind: 'small', full: [true, true], vault: 'older', limits: { doubles: 1, cancels: 1 } },
  { kind: 'small', full: [false], vault: 'older', limits: { changes: 3, doubles: 2, crashes: 1, lost: 1 } },
  { kind: 'small', full: [true], vault: 'same', limits: { lost: 2, doubles: 2, problems: 1, changes: 1 } },
  { kind: 'large', full: [true, false], vault: 'same', limits: { cancels: 1, crashes: 1, failures: 1 } },
  { kind: 'large', full: [false, true], vault: 'older', limits: { terminations: 1, failures: 1, changes: 1 } },
  { kind: 'large', full: [false, false], vault: 'older', limits: { problems: 1, crashes: 1, lost: 1 } },
  { kind: 'large', full: [true], vault: 'same', limits: { failures: 2, changes: 1, doubles: 1, stuck: 1 } },
  { kind: 'large', full: [false], vault: 'empty', limits: { failures: 2, stuck: 1, strangers: 1, doubles: 1 } },
  { kind: 'page', full: [true], vault: 'same', limits: { failures: 2, stuck: 1, strangers: 1, doubles: 1 } },
  { kind: 'page', full: [true, false], vault: 'older', limits: { terminations: 1, failures: 1, changes: 1 } },
];

/** Scenarios of every kind, which take seconds. */
export const QUICK: Scenario[] = [
  { kind: 'small', full: [true, false], vault: 'same', limits: {} },
  { kind: 'small', full: [false], vault: 'older', limits: { changes: 1, doubles: 1, crashes: 1 } },
  { kind: 'large', full: [true, false], vault: 'same', limits: {} },
  { kind: 'large', full: [false], vault: 'empty', limits: { failures: 2, stuck: 1, strangers: 1 } },
  { kind: 'large', full: [true], vault: 'same', limits: { failures: 1, changes: 1, lost: 1, terminations: 1 } },
  { kind: 'page', full: [true], vault: 'same', limits: { failures: 2, strangers: 1 } },
];

const one = [false];
const two = [true, false];

/** For each flaw, the smallest scenario in which it does damage. */
export const WHERE_FLAWS_SHOW: Record<Flaw, Scenario> = {
  'unpinned destination': { kind: 'small', full: one, vault: 'empty', limits: { changes: 2, doubles: 1 } },
  'unpinned source': { kind: 'small', full: one, vault: 'empty', limits: { changes: 1 } },
  'no snapshot before async': { kind: 'large', full: [true], vault: 'same', limits: { failures: 1 } },
  'no snapshot before sync': { kind: 'small', full: one, vault: 'older', limits: {} },
  'summary overwritten': { kind: 'small', full: two, vault: 'same', limits: { terminations: 1 } },
  'take-over without closing': { kind: 'small', full: two, vault: 'same', limits: { terminations: 1 } },
  'closing overwrites': { kind: 'small', full: two, vault: 'same', limits: { terminations: 1 } },
  'freed without closing': { kind: 'small', full: [false, false], vault: 'same', limits: { forced: 1 } },
  'lock taken unpinned': { kind: 'small', full: two, vault: 'same', limits: {} },
  'lock released unpinned': { kind: 'small', full: two, vault: 'same', limits: { terminations: 1 } },
  'lock of another released': { kind: 'small', full: two, vault: 'same', limits: { terminations: 1 } },
  'any copy id': { kind: 'large', full: one, vault: 'empty', limits: { strangers: 1 } },
  'pending counted': { kind: 'large', full: one, vault: 'empty', limits: {} },
  'vanished headers': { kind: 'large', full: one, vault: 'empty', limits: { strangers: 1, failures: 1 } },
  'abort without id': { kind: 'large', full: one, vault: 'empty', limits: { strangers: 1, stuck: 1 } },
  'part missing': { kind: 'small', full: one, vault: 'empty', limits: { problems: 1 } },
  'parts overwritten': { kind: 'small', full: one, vault: 'empty', limits: { doubles: 1, changes: 1 } },
  'epoch ignored': { kind: 'small', full: two, vault: 'empty', limits: { terminations: 1 } },
  'cancel ignored': { kind: 'small', full: one, vault: 'empty', limits: { cancels: 1 } },
  'leftover whole': { kind: 'large', full: one, vault: 'empty', limits: { failures: 1 } },
  'compared by size': { kind: 'small', full: one, vault: 'older', limits: {} },
  'refusal taken for done': { kind: 'small', full: one, vault: 'empty', limits: { changes: 1 } },
  'no deadline': { kind: 'large', full: one, vault: 'empty', limits: { stuck: 1 } },
};

export const ALL_FLAWS = Object.entries(FLAWS).map(([words, flaw]) => ({ words, flaw }));
