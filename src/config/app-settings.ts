import type { ConfigurationProblem } from './configuration-error.ts';
import { placeOf } from './option-path.ts';

/** App settings by name; an empty value counts as none. */
export type AppSettings = Record<string, string | undefined>;

export function settingOf(settings: AppSettings, name: string): string | undefined {
  const value = Object.hasOwn(settings, name) ? settings[name]?.trim() : undefined;
  return value || undefined;
}

/** The places that hold what app settings hold, with the names of these settings. */
export type FilledIn = Map<string, string[]>;

/** Deeper than any configuration; what lies below is left alone for the schema to refuse. */
const DEEPEST = 12;

/**
 * Puts app settings in place of `%NAME%` in every text of a JSON value, once: what a setting holds is not looked at
 * again. Names of options stay as they are, and so does `$schema`.
 */
export function withSettings(
  value: unknown,
  settings: AppSettings,
): { value: unknown; problems: ConfigurationProblem[]; filledIn: FilledIn } {
  const problems: ConfigurationProblem[] = [];
  const filledIn: FilledIn = new Map();

  function replaced(text: string, path: PropertyKey[]): string {
    return text.replace(/%([A-Za-z_][\w.:-]*)%/g, (whole, name: string) => {
      const setting = settingOf(settings, name);
      const place = placeOf(path);
      if (setting !== undefined) {
        filledIn.set(place, [...(filledIn.get(place) ?? []), name]);
        return setting;
      }
      problems.push({
        place,
        message: `${JSON.stringify(whole)} refers to the app setting ${JSON.stringify(name)}, which is not set`,
      });
      return whole;
    });
  }

  function walk(node: unknown, path: PropertyKey[]): unknown {
    if (path.length > DEEPEST || path[0] === '$schema') return node;
    if (typeof node === 'string') return replaced(node, path);
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, [...path, key])]));
  }

  return { value: walk(value, []), problems, filledIn };
}
