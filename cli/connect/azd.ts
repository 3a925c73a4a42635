import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AzdEnvironment } from './address.ts';

/** The environment that azd uses by default in this folder, or in one above it; undefined if there is none. */
export function azdEnvironment(cwd: string, env: Readonly<Record<string, string | undefined>>) {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const found = environmentIn(join(folder, '.azure'), env.AZURE_ENV_NAME?.trim());
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}

function environmentIn(folder: string, named: string | undefined): AzdEnvironment | undefined {
  try {
    const name = named || defaultIn(folder);
    // A name is one folder: azd allows letters, digits, hyphens, dots, parentheses and underscores.
    if (name === undefined || !/^[\w().-]+$/.test(name) || /^\.+$/.test(name)) return undefined;
    return { name, values: dotenvValues(readFileSync(join(folder, name, '.env'), 'utf8')) };
  } catch {
    return undefined;
  }
}

function defaultIn(folder: string): string | undefined {
  const { defaultEnvironment } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  return typeof defaultEnvironment === 'string' ? defaultEnvironment : undefined;
}

/** The values that azd writes: `NAME="text"`, with escapes, or without quotes. */
export function dotenvValues(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, value = ''] = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined) return [];
      const quoted = /^"(.*)"$/.exec(value)?.[1]?.replace(/\\(["\\$`])/g, '$1') ?? /^'(.*)'$/.exec(value)?.[1];
      return [[name, quoted ?? value]];
    }),
  );
}
