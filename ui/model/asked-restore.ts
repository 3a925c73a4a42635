import { type Basket, MOST_NAMES } from './basket.ts';
import type { What } from './restore-choice.ts';

type Held = { containers: readonly string[]; tables: readonly string[] };

/**
 * What an address asks to restore: `name`, `prefix` or `whole` of a `container`, what the basket has of it, lists of
 * `containers` and `tables`, or `all`. Undefined if it asks for nothing.
 */
export function whatOf(query: URLSearchParams, point: string, basket: Basket): What | undefined {
  if (query.has('all')) return { kind: 'everything' };
  const container = query.get('container');
  if (container !== null) return ofContainer(query, point, container, basket);
  const [containers, tables] = [listOf(query.get('containers')), listOf(query.get('tables'))];
  return containers.length + tables.length === 0 ? undefined : { kind: 'some', containers, tables };
}

function ofContainer(query: URLSearchParams, point: string, container: string, basket: Basket): What | undefined {
  const [name, prefix] = [query.get('name'), query.get('prefix')];
  if (name !== null && name !== '') return { kind: 'names', container, names: [name] };
  if (prefix !== null && prefix !== '') return { kind: 'folder', container, prefix };
  if (query.has('whole')) return { kind: 'some', containers: [container], tables: [] };
  const chosen = basket.find((each) => each.point.id === point && each.container === container);
  if (!query.has('basket') || chosen === undefined) return undefined;
  return { kind: 'names', container, names: chosen.blobs.map((blob) => blob.name).slice(0, MOST_NAMES) };
}

function listOf(text: string | null): string[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each !== '').slice(0, 100) : [];
  } catch {
    return [];
  }
}

/** The containers and tables that are restored of those that the restore point holds. */
export function selectedOf(what: What, held: Held): Held {
  if (what.kind === 'everything') return held;
  if (what.kind === 'some') return what;
  return { containers: [what.container], tables: [] };
}
