import { HostError } from '../host-error.ts';

/** Route templates as Azure Functions has them: `jobs/{job}/runs/{id?}`, `files/{*path}`, `{id:int}`. Pure. */
export interface Route<T> {
  template: string;
  methods: readonly string[];
  target: T;
}

export type Match<T> =
  | { target: T; params: Record<string, string> }
  /** The path exists, the method does not. */
  | { allowed: string[] }
  | undefined;

interface Segment {
  kind: 'literal' | 'constrained' | 'parameter' | 'rest';
  text: string;
  optional: boolean;
  pattern?: RegExp;
}

interface Compiled<T> extends Route<T> {
  segments: Segment[];
}

const CONSTRAINTS: Record<string, RegExp> = {
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
  guid: /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  alpha: /^[a-z]+$/i,
  bool: /^(true|false)$/i,
};

/** The more definite segment wins: text, then a parameter with a condition, then any, then the rest of the path. */
const PRECEDENCE: Record<Segment['kind'], number> = { literal: 0, constrained: 1, parameter: 2, rest: 3 };

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
    const match = /^\{(\*{0,2})([A-Za-z_][\w-]*)(?::([a-z]+))?(\?)?\}$/.exec(part);
    if (match === null) {
      if (/[{}]/.test(part))
        throw new HostError(`Route "${template}": "${part}" is not supported. A parameter must be a whole segment.`);
      return { kind: 'literal', text: part.toLowerCase(), optional: false };
    }
    const [, star, name = '', constraint, optional] = match;
    if (star && index < parts.length - 1)
      throw new HostError(`Route "${template}": "${part}" must be its last segment.`);
    if (star) return { kind: 'rest', text: name, optional: true };
    const pattern = constraint === undefined ? undefined : CONSTRAINTS[constraint];
    if (constraint !== undefined && pattern === undefined) {
      throw new HostError(`Route "${template}": the condition ":${constraint}" is not supported.`);
    }
    const segment: Segment = { kind: pattern ? 'constrained' : 'parameter', text: name, optional: optional === '?' };
    return pattern === undefined ? segment : { ...segment, pattern };
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

/** Decoded after it is split: an encoded slash is part of a name. */
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
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'rest') {
      params[segment.text] = parts.slice(index).join('/');
      return params;
    }
    const part = parts[index];
    if (part === undefined || part === '') {
      if (!segment.optional) return undefined;
      continue;
    }
    if (segment.kind === 'literal' && part.toLowerCase() !== segment.text) return undefined;
    if (segment.pattern !== undefined && !segment.pattern.test(part)) return undefined;
    if (segment.kind !== 'literal') params[segment.text] = part;
  }
  return parts.length > segments.length ? undefined : params;
}
