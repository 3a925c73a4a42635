import { HostError } from '../host-error.ts';

/** The path that a blob function listens to: `container/{folder}/{name}.txt`. */
export interface BlobPath {
  container: string;
  /** The values of the pattern's names in the name of a blob; undefined if the pattern does not match. */
  match(blob: string): Record<string, string> | undefined;
}

/** A name in braces matches any text, including slashes. The first names match as much as they can, as in Azure. */
export function parseBlobPath(path: string, where: string): BlobPath {
  const [, container = '', pattern = ''] = /^\/?([^/]*)\/?(.*)$/s.exec(path) ?? [];
  if (!/^(?:\$root|\$web|[a-z\d](?:-?[a-z\d]){2,62})$/.test(container)) {
    throw new HostError(
      `${where} has the path "${path}". It must start with the name of a container, as in "uploads/{name}".`,
    );
  }
  if (pattern === '') return { container, match: () => ({}) };
  const names: string[] = [];
  const parts = pattern.match(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g) ?? [];
  const expression = parts.map((part) => {
    if (part === '{{' || part === '}}') return escaped(part.slice(1));
    if (!/[{}]/.test(part)) return escaped(part);
    const name = part.slice(1, -1);
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) {
      throw new HostError(`${where} has the path "${path}". "${part}" is not a name in braces, such as "{name}".`);
    }
    names.push(name);
    return '(.*)';
  });
  const whole = new RegExp(`^${expression.join('')}$`, 's');
  return {
    container,
    match(blob) {
      const found = whole.exec(blob);
      return found === null
        ? undefined
        : Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? '']));
    },
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
