/**
 * The first and the last name of a part by UTF-16 code unit, in whatever order they were listed: it shows which parts
 * cannot have a name. Long names are cut, so the range may be a little wider than the part.
 */
export type NameRange = readonly [first: string, last: string];

/** Characters. Metadata has room for a few hundred. */
const LONGEST = 80;
/** Sorts after every name that starts like a cut one. */
const BEHIND = '\uffff';

export function widened(range: NameRange | undefined, name: string): NameRange {
  if (range === undefined) return [name.slice(0, LONGEST), name.length > LONGEST ? behind(name) : name];
  const [first, last] = range;
  if (name >= first && name <= last) return range;
  return [
    name < first ? name.slice(0, LONGEST) : first,
    name <= last ? last : name.length > LONGEST ? behind(name) : name,
  ];
}

export function joined(one: NameRange | undefined, other: NameRange | undefined): NameRange | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return [other[0] < one[0] ? other[0] : one[0], other[1] > one[1] ? other[1] : one[1]];
}

/** False only if no name with the prefix can be in the range. An unknown range may have any name. */
export function mayHoldPrefix(range: NameRange | undefined, prefix: string): boolean {
  return range === undefined || (range[1] >= prefix && range[0] <= prefix + BEHIND);
}

/** False only if the two have no name in common. */
export function mayOverlap(one: NameRange | undefined, other: NameRange | undefined): boolean {
  return one === undefined || other === undefined || (one[0] <= other[1] && other[0] <= one[1]);
}

export function mayHold(range: NameRange | undefined, name: string): boolean {
  return range === undefined || (range[0] <= name && name <= range[1]);
}

function behind(name: string): string {
  return name.slice(0, LONGEST) + BEHIND;
}
