import { optionPath } from '#domain/input/option-path.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** App settings by name. An empty value counts as absent. */
export type AppSettings = Record<string, string | undefined>;

export function settingOf(settings: AppSettings, name: string): string | undefined {
  const value = Object.hasOwn(settings, name) ? settings[name]?.trim() : undefined;
  return value || undefined;
}

/** The paths of the options whose values contain values of app settings, with the names of these settings. */
export type FilledIn = Map<string, string[]>;

/** No valid configuration is deeper. `withSettings` does not change deeper values, and the schema rejects them. */
const DEEPEST = 12;

/**
 * Replaces `%NAME%` by the app setting of that name in every string of a JSON value. It does not replace a `%NAME%` in
 * the value of a setting, in the name of an option, or in `$schema`.
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
      const place = optionPath(path);
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
