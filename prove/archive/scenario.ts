import type { ArchiveRule } from '#config/configuration.ts';
import type { Folders } from './stage.ts';

/** A message that tells of an upload. */
export interface Told {
  /** Whether it says of which version. */
  etag: boolean;
  /** Of one message that is delivered again while it is still worked on: the same owner twice. Its own where it is not said. */
  id?: string;
}

/** What happens to the blob at the source: another version, with the messages that tell of it, or the end of it. */
export type Edit = { write: Told[] } | 'delete';

/** What may befall a request or whoever sent it. */
export type Fault =
  /** The service does not take it, however often it is tried. */
  | 'refused'
  /** It is carried out and its answer is lost; it is tried again, and meets what it did. */
  | 'repeated'
  /** It is carried out, and nobody will ever hear of it. */
  | 'unheard'
  /** It is given up by its sender, and carried out later. */
  | 'late'
  /** For a while the service says of every copy that it cannot find the source. */
  | 'unverified'
  /** Its sender dies; the message is delivered again. */
  | 'crash'
  /** Its sender dies, and the message is lost as well. */
  | 'lost'
  /** A copy that the service has accepted fails. */
  | 'copy failed';

export interface Scenario {
  name: string;
  folders: Folders;
  method: ArchiveRule['method'];
  /** Whether asynchronous copies are only accepted, and go on by themselves. */
  pending?: boolean;
  /** Whether a version has been archived before it all begins. */
  before?: boolean;
  edits: Edit[];
  /** How many of these may befall what is going on. */
  faults: number;
  kinds?: Fault[];
  /** How often the clock leaps beyond the end of every claim. */
  leaps: number;
  /** Whether a reconcile is at work meanwhile. */
  reconcile?: boolean;
  /** How often a message is tried. */
  deliveries?: number;
}

const told: Told = { etag: true };
const untold: Told = { etag: false };
const again: Told = { etag: true, id: 'again' };

/** Small enough that every schedule of them is gone through. */
export const QUICK: Scenario[] = [
  {
    name: 'two events of one upload, whatever befalls one request',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told, told] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'an upload that is overwritten, each told of',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told] }, { write: [told] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'an upload whose receipt cannot be ended, and that is overwritten',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told] }, { write: [untold] }],
    faults: 1,
    kinds: ['refused'],
    leaps: 0,
  },
  {
    name: 'one message delivered again while it is worked on, over an older version',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: [{ write: [again, again] }],
    faults: 1,
    kinds: ['refused'],
    leaps: 0,
  },
  {
    name: 'an event and a reconcile, and the claim expires',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told] }],
    faults: 0,
    leaps: 1,
    reconcile: true,
  },
  {
    name: 'a copy that stays pending, and fails or hangs',
    folders: 'none',
    method: 'async',
    pending: true,
    edits: [{ write: [told] }, { write: [told] }],
    faults: 1,
    kinds: ['crash', 'copy failed'],
    leaps: 1,
  },
  {
    name: 'an upload that is given up after one try',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told] }, { write: [told] }],
    faults: 1,
    kinds: ['refused', 'unheard', 'unverified'],
    deliveries: 1,
    leaps: 0,
  },
  {
    name: 'three events of one upload',
    folders: 'version',
    method: 'sync',
    edits: [{ write: [told, untold, told] }],
    faults: 0,
    leaps: 0,
  },
  {
    name: 'an upload that is deleted and made again',
    folders: 'day',
    method: 'sync',
    edits: [{ write: [told] }, 'delete', { write: [untold] }],
    faults: 0,
    leaps: 1,
  },
];

const TWO_VERSIONS: Edit[] = [{ write: [told] }, { write: [told] }];

/** Hours of them. */
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
    edits: [{ write: [told, told] }],
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
    name: 'overwritten while a copy is pending, told of twice',
    folders: 'none',
    method: 'async',
    pending: true,
    before: true,
    edits: [{ write: [told] }, { write: [told] }],
    faults: 1,
    leaps: 1,
  },
  {
    name: 'a reconcile between two versions, whatever befalls one request',
    folders: 'none',
    method: 'sync',
    before: true,
    edits: TWO_VERSIONS,
    faults: 1,
    leaps: 0,
    reconcile: true,
  },
  {
    name: 'three at work, one crash',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told, again, again] }],
    faults: 1,
    kinds: ['crash', 'unheard'],
    leaps: 1,
  },
  {
    name: 'given up after one try',
    folders: 'none',
    method: 'sync',
    edits: TWO_VERSIONS,
    faults: 2,
    deliveries: 1,
    leaps: 0,
  },
  {
    name: 'three versions, a name of its own for each',
    folders: 'version',
    method: 'sync',
    edits: [{ write: [told] }, { write: [told] }, { write: [untold] }],
    faults: 1,
    leaps: 0,
  },
  {
    name: 'deleted and made again, any fault',
    folders: 'none',
    method: 'sync',
    edits: [{ write: [told] }, 'delete', { write: [told] }],
    faults: 1,
    leaps: 1,
  },
];
