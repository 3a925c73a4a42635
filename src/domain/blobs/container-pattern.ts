import { fits, isLiteral, shortest } from './star-pattern.ts';

export { isLiteral };

/**
 * Container patterns: the name of a container, or a name with stars, each for any run of characters. Nothing else is
 * special. A star never matches system containers (`$web`) or the control container.
 */

/** The container in which a vault keeps its runs, receipts and locks. */
export const CONTROL_CONTAINER = 'strongroom';

/** Three to 63 letters, digits and single hyphens, with no hyphen at the start or end; or `$root` or `$web`. */
export function isValidContainerName(name: string): boolean {
  return name === '$root' || name === '$web' || /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
}

/** What is wrong with a pattern, in words for its author, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  const quoted = JSON.stringify(pattern);
  if (isLiteral(pattern)) {
    if (isValidContainerName(pattern)) return undefined;
    return (
      `${quoted} is not a container name: use 3 to 63 lower-case letters, digits and single hyphens (or $web, ` +
      '$root), or a pattern such as "tenant-*"'
    );
  }
  if (pattern.startsWith('$')) {
    return (
      `${quoted} matches nothing, because "*" never matches system containers; name them in full, for example ` +
      '"$web"'
    );
  }
  if (/^[a-z0-9*-]+$/.test(pattern) && !pattern.includes('--') && !/^-|-$/.test(pattern) && shortest(pattern) <= 63) {
    return undefined;
  }
  return (
    `${quoted} cannot match any container: names have 3 to 63 lower-case letters, digits and single hyphens, and ` +
    'only "*" is special'
  );
}

export function matches(pattern: string, name: string): boolean {
  if (isLiteral(pattern)) return pattern === name;
  return !name.startsWith('$') && name !== CONTROL_CONTAINER && fits(pattern, name);
}

/** Whether some name could match both. If both have stars, lengths are ignored: the answer may be a false yes. */
export function patternsOverlap(a: string, b: string): boolean {
  if (isLiteral(a)) return matches(b, a);
  if (isLiteral(b)) return matches(a, b);
  // If each has a star, any text fits between the first and the last star: only the ends can disagree.
  const [headA, headB] = [a.slice(0, a.indexOf('*')), b.slice(0, b.indexOf('*'))];
  const [tailA, tailB] = [a.slice(a.lastIndexOf('*') + 1), b.slice(b.lastIndexOf('*') + 1)];
  return (
    (headA.startsWith(headB) || headB.startsWith(headA)) &&
    (tailA.endsWith(tailB) || tailB.endsWith(tailA)) &&
    !headA.startsWith('$') &&
    !headB.startsWith('$')
  );
}
