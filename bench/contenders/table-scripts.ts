import { fileURLToPath } from 'node:url';
import { runMeasured, type Usage } from '../process-usage.ts';

interface Place {
  connectionString: string;
  table: string;
  /** On this machine. */
  file: string;
}

/** The usual programs with the plain SDK, between a table and a file. */
export const TABLE_SCRIPTS = {
  /** `typed` uses the SDK's option against converting types. */
  toFile: ({ typed, ...place }: Place & { typed?: boolean }): Promise<Usage> =>
    run('table-to-file.ts', place, typed ? { TYPED: 'yes' } : {}),
  /** `transactions` sends a hundred entities at a time, instead of one. */
  toTable: ({ transactions, ...place }: Place & { transactions?: boolean }): Promise<Usage> =>
    run('file-to-table.ts', place, transactions ? { TRANSACTIONS: 'yes' } : {}),
};

function run(script: string, { connectionString, table, file }: Place, more: NodeJS.ProcessEnv): Promise<Usage> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  return runMeasured(process.execPath, [path], { SOURCE: connectionString, TABLE: table, FILE: file, ...more });
}
