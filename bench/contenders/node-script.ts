import { fileURLToPath } from 'node:url';
import { runMeasured } from '../process-usage.ts';
import type { Contender } from './contender.ts';

/** A program of this folder, which gets both connection strings in SOURCE and VAULT. */
export function nodeScript(name: string, vault: string, file: string): Contender {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  return {
    name,
    vault,
    run: ({ server, source }) =>
      runMeasured(process.execPath, [path], {
        SOURCE: server.connectionString(source),
        VAULT: server.connectionString(vault),
      }),
  };
}
