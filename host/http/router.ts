import { HostError } from '../host-error.ts';

/** A route template in the form of Azure Functions: `jobs/{job}/runs`, `files/{*path}`. */
export interface Route<T> {
  template: string;
  methods: readonly string[];
  target: T;
}

export interface Match<T> {
  target: T;
  params: Record<string, string>;
}

interface Segment {
  kind: 'literal' | 'parameter' | 'rest';
  text: string;
}

interface Compiled<T> extends Route<T> {
  segments: Segment[];
}

/** The more specific segment wins. */
const PRECEDENCE: Record<Segment['kind'], number> = { literal: 0, parameter: 1, rest: 2 };

/** As in Azure, a path that exists for other methods only is not found. */
export function createRouter<T>(routes: Route<T>[]): (method: string, path: string) => Match<T> | undefined {
  const compiled = routes
    .map((route): Compiled<T> => ({ ...route, segments: compile(route.template) }))
    .sort(byPrecedence);
  return (method, path) => {
    const parts = partsOf(path);
    for (const { segments, methods, target } of compiled) {
      const params = methods.includes(method) ? matchSegments(segments, parts) : undefined;
      if (params !== undefined) return { target, params };
    }
    return undefined;
  };
}

function compile(template: string): Segment[] {
  const parts = template.split('/').filter((part) => part !== '');
  return parts.map((part, index) => {
    if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase() };
    const [, star, name = ''] = /^\{(\*{0,2})([A-Za-z_][\w-]*)\}$/.exec(part) ?? [];
    if (name === '') {
      throw new HostError(
        `Route "${template}": "${part}" is not supported. Use "{name}", or "{*name}" as the last part.`,
      );
    }
    if (star && index < parts.length - 1) {
      throw new HostError(`Route "${template}": "${part}" must be its last segment.`);
    }
    return { kind: star ? 'rest' : 'parameter', text: name };
  });
}

function byPrecedence(a: Compiled<unknown>, b: Compiled<unknown>): number {
  for (let i = 0; i < Math.max(a.segments.length, b.segments.length); i++) {
    const [left, right] = [a.segments[i], b.segments[i]];
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
    const difference = PRECEDENCE[left.kind] - PRECEDENCE[right.kind];
    if (difference !== 0) return difference;
  }
  return 0;
}

function partsOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map(decode)
    .filter((part, index, all) => part !== '' || index < all.length - 1);
}

/** As in Azure, an encoded slash stays encoded, and so does what is not the encoding of a character. */
function decode(part: string): string {
  return part.replace(/(?:%[\da-f]{2})+/gi, (encoded) =>
    encoded
      .split(/(%2f)/i)
      .map((text) => (/^%2f$/i.test(text) ? text : decoded(text)))
      .join(''),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function matchSegments(segments: Segment[], parts: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, { kind, text }] of segments.entries()) {
    if (kind === 'rest') return { ...params, [text]: parts.slice(index).join('/') };
    const part = parts[index];
    if (part === undefined || part === '') return undefined;
    if (kind === 'parameter') params[text] = part;
    else if (part.toLowerCase() !== text) return undefined;
  }
  return parts.length > segments.length ? undefined : params;
}
