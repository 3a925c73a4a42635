// The child process that runs Azurite. It ends with its parent: when the channel to the parent closes, because the
// parent asked for it or was killed, Azurite saves its data and stops. A parent that is killed with SIGKILL cannot do
// this.
import { writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { identify } from '../data/process-identity.ts';
import { removeFewQuickly } from './quick-removal.ts';

/** Milliseconds that Azurite has to save its data before the process exits anyway. */
const GRACE = 10_000;
/** The longest delay of a Node timer in milliseconds: 24 days. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

const ownerFile = process.env.AZURITE_OWNER_FILE;
if (ownerFile) writeFileSync(ownerFile, JSON.stringify(identify(process.pid)));

// Azurite logs that it is closing. If the parent was killed, that write fails and must not prevent the save.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), GRACE).unref();
  // Azurite listens for SIGTERM once and closes its three services.
  process.emit('SIGTERM');
});

const require = createRequire(import.meta.url);
// Every ten minutes, Azurite collects unreferenced content, and answers no request meanwhile. With data in memory, the
// collection takes longer than everything else and is not needed.
if (process.argv.includes('--inMemoryPersistence')) {
  for (const service of ['blob', 'queue']) {
    require(`azurite/dist/src/${service}/utils/constants.js`).DEFAULT_GC_INTERVAL_MS = LONGEST_TIMEOUT;
  }
}
const azurite = createRequire(require.resolve('azurite/package.json'));
removeFewQuickly(azurite('lokijs').Collection.prototype);
// Azurite loads Application Insights although its telemetry is off, and that takes longer than all else that it loads.
// Nothing of the package is used then, so that an empty module serves as well.
const insights = azurite.resolve('applicationinsights');
require.cache[insights] = Object.assign(new Module(insights), { loaded: true });
require('azurite/dist/src/azurite.js');
