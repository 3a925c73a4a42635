import type { BlobState, BlobType } from '../blobs/blob.ts';
import type { BlobEntry } from '../run/outcome.ts';

/**
 * Below this prefix, after that of the container, are the copies of blobs whose name is taken by a copy of another blob
 * type. The service writes no blob over one of another type, and restore points need the copy that is there.
 */
const BESIDE = 'strongroom-types/';
/** Characters of the name of a blob that the service takes. */
const LONGEST_NAME = 1024;

/** What the names of all copies of a type begin with that are kept beside. */
export function besidePrefix(type: BlobType): string {
  return `${BESIDE}${type}/`;
}

/** The name of a copy that is kept beside. No two source blobs share one: see `mustBeBeside`. */
export function nameBeside({ name, type }: Pick<BlobState, 'name' | 'type'>): string {
  return besidePrefix(type) + name;
}

/** Whether the copy of this source blob is never under its own name, which may be that of another blob's copy. */
export function mustBeBeside({ name }: Pick<BlobState, 'name'>): boolean {
  return name.startsWith(BESIDE);
}

/** The name of the source blob that a copy of this name, without the prefix of the container, was made of. */
export function originalName(name: string): string {
  const type = (['block', 'page', 'append'] as const).find((each) => name.startsWith(besidePrefix(each)));
  return type === undefined ? name : name.slice(besidePrefix(type).length);
}

/** The name that the content of an entry has in the backup container, without the prefix of the container. */
export function vaultNameOf({ name, vaultName }: Pick<BlobEntry, 'name' | 'vaultName'>): string {
  return vaultName ?? name;
}

export interface PlaceInVault {
  /** The name there, if it is another than that of the source blob. */
  vaultName?: string;
  /** The copy that is there. */
  backup: BlobState | undefined;
}

/**
 * Where the copy of a source blob is, or is to be made: under its own name, unless a copy of another type has that.
 * `own` is what has the name; `findBeside` looks for the copy beside, and is called only if that could matter.
 */
export async function placeOf(
  source: Pick<BlobState, 'name' | 'type'>,
  own: BlobState | undefined,
  findBeside: (vaultName: string) => Promise<BlobState | undefined>,
): Promise<PlaceInVault> {
  const isReserved = mustBeBeside(source);
  if (!isReserved && own?.type === source.type) return { backup: own };
  const vaultName = nameBeside(source);
  const backup = await findBeside(vaultName);
  return backup || own || isReserved ? { vaultName, backup } : { backup: undefined };
}

/** Whether the service takes the name. */
export function fitsName(name: string): boolean {
  return name.length <= LONGEST_NAME;
}
