import { keyOf, type PointTime } from './find.ts';
import { bytes, counted, number } from './quantity.ts';

/** Names of one container that are to be restored from one restore point: one restore. */
export interface Chosen {
  point: PointTime;
  job: string;
  container: string;
  blobs: { name: string; size: number }[];
}

/** What has been collected over folders and searches, in the order in which it began. */
export type Basket = readonly Chosen[];

/** What the API takes in one restore. */
export const MOST_NAMES = 1000;
export const MOST_CHARACTERS = 131_072;

type Place = Pick<Chosen, 'point' | 'job' | 'container'>;
type Blob = Chosen['blobs'][number];

const isAt = (a: Place, b: Place) => a.point.id === b.point.id && a.container === b.container;

export function isChosen(basket: Basket, place: Place, name: string): boolean {
  return basket.some((chosen) => isAt(chosen, place) && chosen.blobs.some((blob) => blob.name === name));
}

/** The names that are chosen at this place, for a list that asks for each of its rows. */
export function namesAt(basket: Basket, place: Place): ReadonlySet<string> {
  return new Set(basket.find((chosen) => isAt(chosen, place))?.blobs.map(({ name }) => name));
}

/** With these blobs, as far as one restore takes them; `left` are those that it does not. */
export function withChosen(basket: Basket, place: Place, blobs: readonly Blob[]): { basket: Basket; left: number } {
  const found = basket.find((chosen) => isAt(chosen, place));
  const all = new Map(found?.blobs.map((blob) => [blob.name, blob]));
  let characters = [...all.keys()].reduce((sum, name) => sum + name.length, 0);
  let left = 0;
  for (const { name, size } of blobs) {
    if (all.has(name)) continue;
    if (all.size >= MOST_NAMES || characters + name.length > MOST_CHARACTERS) left++;
    else {
      all.set(name, { name, size });
      characters += name.length;
    }
  }
  if (all.size === 0) return { basket, left };
  const chosen: Chosen = { point: place.point, job: place.job, container: place.container, blobs: [...all.values()] };
  const others = basket.filter((each) => each !== found);
  return { basket: found ? basket.map((each) => (each === found ? chosen : each)) : [...others, chosen], left };
}

export function withoutChosen(basket: Basket, place: Place, names: readonly string[]): Basket {
  const gone = new Set(names);
  return basket
    .map((chosen) =>
      isAt(chosen, place) ? { ...chosen, blobs: chosen.blobs.filter(({ name }) => !gone.has(name)) } : chosen,
    )
    .filter(({ blobs }) => blobs.length > 0);
}

export function withoutPlace(basket: Basket, place: Place): Basket {
  return basket.filter((chosen) => !isAt(chosen, place));
}

/** `3 blobs, 388 kB`, and in how many restores. */
export function basketWords(basket: Basket): string {
  const blobs = basket.flatMap((chosen) => chosen.blobs);
  const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
  const several = basket.length > 1 ? `, in ${number(basket.length)} restores` : '';
  return `${counted(blobs.length, 'blob')}, ${bytes(size)}${several}`;
}

/** Why not everything was added. */
export function leftWords(left: number): string {
  return (
    `${counted(left, 'name')} not added: a restore takes at most ${number(MOST_NAMES)} names. Restore a whole folder ` +
    'instead, or start with these.'
  );
}

/** What the session has kept, as far as it is a basket. */
export function readBasket(text: string | null): Basket {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isSomeChosen).slice(0, 100) : [];
  } catch {
    return [];
  }
}

function isSomeChosen(value: unknown): value is Chosen {
  const { point, job, container, blobs } = (value ?? {}) as Partial<Chosen>;
  const areTexts = [point?.id, point?.time, job, container].every((text) => typeof text === 'string');
  if (!areTexts || !Array.isArray(blobs) || blobs.length === 0 || blobs.length > MOST_NAMES) return false;
  return blobs.every((blob) => typeof blob?.name === 'string' && Number.isFinite(blob.size));
}

/** Tells the rows of a basket apart. */
export function placeKey({ point, container }: Place): string {
  return keyOf({ container: point.id, name: container });
}
