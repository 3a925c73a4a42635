import { HostError } from '../host-error.ts';

/** A route template in the form of Azure Functions: `jobs/{job}/runs`, `files/{*path}`. */
export interface Route<T> {
  template: string;
  methods: readonly string[];
  target: T;
}

export type Match<T> =
  | { target: T; params: Record<string, string> }
  /** The path exists, but not for this method. */
  | { allowed: string[] }
  | undefined;

interface Segment {
  kind: 'literal' | 'parameter' | 'rest';
  text: string;
}

interface Compiled<T> extends Route<T> {
  segments: Segment[];
}

/** The more specific segment wins. */
const PRECEDENCE: Record<Segment['kind'], number> = { literal: 0, parameter: 1, rest: 2 };

export function createRouter<T>(routes: Route<T>[]): (method: string, path: string) => Match<T> {
  const compiled = routes
    .map((route): Compiled<T> => ({ ...route, segments: compile(route.template) }))
    .sort(byPrecedence);
  return (method, path) => {
    const parts = decode(path);
    if (parts === undefined) return undefined;
    const allowed = new Set<string>();
    for (const route of compiled) {
      const params = matchSegments(route.segments, parts);
      if (params === undefined) continue;
      if (route.methods.includes(method)) return { target: route.target, params };
      for (const other of route.methods) allowed.add(other);
    }
    return allowed.size > 0 ? { allowed: [...allowed] } : undefined;
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

/** Splits before it decodes: an encoded slash is part of a name. */
function decode(path: string): string[] | undefined {
  try {
    return path
      .split('/')
      .slice(1)
      .map(decodeURIComponent)
      .filter((part, index, all) => part !== '' || index < all.length - 1);
  } catch {
    return undefined;
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
