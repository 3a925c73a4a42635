import type { ArchiveRule } from '#config/configuration.ts';
import type { Folders } from './stage.ts';

/** A message that announces an upload. */
export interface Announcement {
  /** Whether it names the version. */
  etag: boolean;
  /** The id of a message that is delivered again during its processing. By default, each message has its own. */
  id?: string;
}

/** A change of the source blob: a new version with its messages, or a deletion. */
export type Edit = { write: Announcement[] } | 'delete';

/** The faults of a request or its sender. */
export type Fault =
  /** The service is busy at every attempt, which may pass. */
  | 'refused'
  /** The service denies access, which does not pass. Only if a scenario names it. */
  | 'denied'
  /** The request is carried out and its answer is lost; the next attempt meets its effect. */
  | 'repeated'
  /** The request is carried out, and no attempt gets an answer. */
  | 'unheard'
  /** The sender stops waiting, and the request is carried out later. */
  | 'late'
  /** For a while, the service cannot find the source of any copy. */
  | 'unverified'
  /** The sender dies; its message is delivered again. */
  | 'crash'
  /** The sender dies, and its message is lost. */
  | 'lost'
  /** A copy that the service has accepted fails. */
  | 'copy failed';

export interface Scenario {
  name: string;
  folders: Folders;
  method: ArchiveRule['method'];
  /** Whether asynchronous copies stay pending at first. */
  pending?: boolean;
  /** Whether an older version is archived already. */
  before?: boolean;
  edits: Edit[];
  /** The number of faults. */
  faults: number;
  kinds?: Fault[];
  /** How often the clock jumps beyond the end of every claim. */
  leaps: number;
  /** Whether a reconciliation runs at the same time. */
  reconcile?: boolean;
  /** The number of attempts per message. */
  deliveries?: number;
}

const exact: Announcement = { etag: true };
const vague: Announcement = { etag: false };
const again: Announcement = { etag: true, id: 'again' };

/** Cases for every run of the proof. */
export const QUICK: Scenario[] = [
  {
    name: 'two events of one upload, one fault of any request',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact, exact] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'an upload that is overwritten, each with an event',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact] }, { write: [exact] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'an upload whose receipt cannot be ended, and that is overwritten',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact] }, { write: [vague] }],
    faults: 1,
    kinds: ['refused'],
    leaps: 0,
  },
  {
    name: 'one message delivered again during its processing, over an older version',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: [{ write: [again, again] }],
    faults: 1,
    kinds: ['refused'],
    leaps: 0,
  },
  {
    name: 'an event and a reconciliation, and the claim expires',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact] }],
    faults: 0,
    leaps: 1,
    reconcile: true,
  },
  {
    name: 'a copy that stays pending, and fails or hangs',
    folders: 'none',
    method: 'async',
    pending: true,
    edits: [{ write: [exact] }, { write: [exact] }],
    faults: 1,
    kinds: ['crash', 'copy failed'],
    leaps: 1,
  },
  {
    name: 'an upload that fails permanently after one attempt',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact] }, { write: [exact] }],
    faults: 1,
    kinds: ['denied', 'unheard', 'unverified'],
    deliveries: 1,
    leaps: 0,
  },
  {
    name: 'three events of one upload',
    folders: 'version',
    method: 'sync',
    edits: [{ write: [exact, vague, exact] }],
    faults: 0,
    leaps: 0,
  },
  {
    name: 'an upload that is deleted and created again',
    folders: 'day',
    method: 'sync',
    edits: [{ write: [exact] }, 'delete', { write: [vague] }],
    faults: 0,
    leaps: 1,
  },
];

const TWO_VERSIONS: Edit[] = [{ write: [exact] }, { write: [exact] }];

/** Larger cases, which take hours. */
export const NIGHT: Scenario[] = [
  ...QUICK,
  {
    name: 'one message delivered again, its claim expires, any fault',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: [{ write: [again, again] }],
    faults: 1,
    leaps: 1,
  },
  { name: 'overwritten, two faults', folders: 'none', method: 'sync', edits: TWO_VERSIONS, faults: 2, leaps: 0 },
  {
    name: 'two events, two faults, and claims expire',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: [{ write: [exact, exact] }],
    faults: 2,
    leaps: 1,
  },
  {
    name: 'overwritten, in blocks',
    folders: 'none',
    method: 'blocks',
    before: true,
    edits: TWO_VERSIONS,
    faults: 1,
    leaps: 1,
  },
  {
    name: 'overwritten while a copy is pending, with two events',
    folders: 'none',
    method: 'async',
    pending: true,
    before: true,
    edits: [{ write: [exact] }, { write: [exact] }],
    faults: 1,
    leaps: 1,
  },
  {
    name: 'a reconciliation between two versions, one fault of any request',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: TWO_VERSIONS,
    faults: 1,
    leaps: 0,
    reconcile: true,
  },
  {
    name: 'three processes, one crash',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact, again, again] }],
    faults: 1,
    kinds: ['crash', 'unheard'],
    leaps: 1,
  },
  {
    name: 'failed permanently after one attempt',
    folders: 'none',
    method: 'sync',
    edits: TWO_VERSIONS,
    faults: 2,
    kinds: ['denied', 'repeated', 'unheard', 'late', 'unverified', 'crash', 'lost'],
    deliveries: 1,
    leaps: 0,
  },
  {
    name: 'three versions, a name of its own for each',
    folders: 'version',
    method: 'sync',
    edits: [{ write: [exact] }, { write: [exact] }, { write: [vague] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'deleted and created again, any fault',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [exact] }, 'delete', { write: [exact] }],
    faults: 1,
    leaps: 1,
  },
];
