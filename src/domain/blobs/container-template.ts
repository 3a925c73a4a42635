import { isLiteral, isValidContainerName, matches } from './container-pattern.ts';
import { unaddressablePrefix } from './unaddressable.ts';

export { isValidContainerName };

/**
 * Templates for the place of a copy: the destination container (`{container}backup`) and the prefix of its blobs
 * (`{container}/`). `{container}` stands for the name of the source container; nothing else is special.
 */

const SLOT = '{container}';

export function expand(template: string, sourceContainer: string): string {
  // Not replaceAll with a string: "$&" and the like are special in a replacement, and names may start with "$".
  return template.split(SLOT).join(sourceContainer);
}

/** What is wrong with a container template for any source, or undefined. */
export function containerTemplateProblem(template: string): string | undefined {
  if (isValidContainerName(expand(template, 'abc'))) return undefined;
  return (
    `${JSON.stringify(template)} does not make a container name: use 3 to 63 lower-case letters, digits and single ` +
    'hyphens, where {container} stands for the source container, for example "{container}backup"'
  );
}

/** The same for the template of a backup container, which is none of the service's own. */
export function backupTemplateProblem(template: string): string | undefined {
  const problem = containerTemplateProblem(template);
  if (problem !== undefined || !template.startsWith('$')) return problem;
  return (
    `${JSON.stringify(template)} is a container of the service: "$web" is a website that everyone may read, and ` +
    '"$root" takes no name with a slash; use a container of its own, for example "{container}backup"'
  );
}

/** What is wrong with a prefix template for any source, or undefined. Lengths are in characters. */
export function prefixTemplateProblem(template: string): string | undefined {
  if (template.length > 512)
    return `the prefix has ${template.length} characters; the maximum is 512, to leave room for blob names`;
  const text = expand(template, 'abc');
  // The last segment alone could also be followed by a slash.
  const problem = unaddressablePrefix(/(?:^|\/)\.{1,2}$/.test(text) ? `${text}/` : text);
  if (problem !== undefined) return `${JSON.stringify(template)} ${problem}`;
  return undefined;
}

/**
 * Whether two source containers never share a place under both templates. In the container template, `{container}` is
 * enough. In the prefix, a character that no container name has, such as "/", must follow it: with `{container}` alone,
 * `ab` + `c.txt` and `abc` + `.txt` would be the same blob.
 */
export function isInjective(containerTemplate: string, prefixTemplate: string): boolean {
  if (containerTemplate.includes(SLOT)) return true;
  const slot = prefixTemplate.indexOf(SLOT);
  return slot >= 0 && /[^a-z0-9$-]/.test(expand(prefixTemplate.slice(slot), ''));
}

/** All destination containers of sources that match `pattern`, again as a pattern. */
export function destinationPattern(template: string, pattern: string): string {
  return expand(template, pattern).replace(/\*{2,}/g, '*');
}

/** The source container that matches `pattern` and whose copy would be in `destination`, or undefined. */
export function sourceExpandingTo(template: string, pattern: string, destination: string): string | undefined {
  if (!template.includes(SLOT)) {
    const source = isLiteral(pattern) ? pattern : undefined;
    return template === destination ? (source ?? pattern) : undefined;
  }
  for (let from = 0; from < destination.length; from++) {
    for (let to = destination.length; to > from; to--) {
      const source = destination.slice(from, to);
      if (isValidContainerName(source) && matches(pattern, source) && expand(template, source) === destination) {
        return source;
      }
    }
  }
  return undefined;
}
