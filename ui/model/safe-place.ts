/** Where a restore can write without meeting anything: a container and tables that are not there yet. */
export interface Place {
  container: string;
  /** Before every name; empty if each container has a target of its own. */
  prefix: string;
  table: string;
}

const LONGEST = 63;

/**
 * The place to try: the first, second … that is derived from the names of what is restored. One container gets a name
 * of its own, `images-restored`; several get one each. If a name would be too long, or a container is one of the
 * system's, all go into one container, in a folder each. Whether a place is free, the preview says.
 */
export function safePlace(containers: readonly string[], tables: readonly string[], attempt: number): Place {
  const suffix = `-restored${attempt === 0 ? '' : `-${attempt + 1}`}`;
  return { ...containerPlace(containers, suffix), table: tableTemplate(tables, attempt) };
}

function containerPlace(containers: readonly string[], suffix: string): Omit<Place, 'table'> {
  const [only] = containers;
  if (only !== undefined && containers.length === 1) {
    const bare = only
      .replace('$', '')
      .slice(0, LONGEST - suffix.length)
      .replace(/-+$/, '');
    return { container: `${bare}${suffix}`, prefix: '' };
  }
  const areShort = containers.every((name) => !name.startsWith('$') && name.length + suffix.length <= LONGEST);
  if (areShort) return { container: `{container}${suffix}`, prefix: '' };
  return { container: suffix.slice(1), prefix: '{container}/' };
}

function tableTemplate(tables: readonly string[], attempt: number): string {
  const suffix = `Restored${attempt === 0 ? '' : attempt + 1}`;
  const [only] = tables;
  if (only !== undefined && tables.length === 1) return `${only.slice(0, LONGEST - suffix.length)}${suffix}`;
  const longest = Math.max(0, ...tables.map(({ length }) => length));
  return longest + suffix.length <= LONGEST ? `{table}${suffix}` : `{table}R${attempt + 1}`;
}

/** What is wrong with the name of a container, in words for its author, or undefined. */
export function containerProblem(template: string): string | undefined {
  const name = template.split('{container}').join('abc');
  if (/^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) return undefined;
  return 'Use 3 to 63 lower-case letters, digits and single hyphens, with a letter or digit at both ends.';
}

/** What is wrong with the name of a table, in words for its author, or undefined. */
export function tableProblem(template: string): string | undefined {
  const name = template.split('{table}').join('abc');
  if (/^[A-Za-z][A-Za-z0-9]{2,62}$/.test(name) && name.toLowerCase() !== 'tables') return undefined;
  return 'Use 3 to 63 letters and digits, starting with a letter.';
}
