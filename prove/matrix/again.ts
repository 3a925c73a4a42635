import { proveMatrix } from '../parts/matrix.ts';

/** `npm run prove:again -- matrix full/control.PutBlob:summary/lost-answer …` runs only these cells. */
const cells = process.argv.slice(2);
const progress = (message: string) => process.stderr.write(`… ${message}\n`);
const { violations, notes } = await proveMatrix({ seed: 1, night: false, progress, cells });
for (const line of [...violations, ...notes]) process.stdout.write(`${line}\n`);
process.exit(violations.length > 0 || cells.length === 0 ? 1 : 0);
