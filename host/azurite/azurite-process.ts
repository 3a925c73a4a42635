// The child process that is Azurite. It ends with its parent: when the channel to the parent closes,
// because the parent asked for it or was killed, Azurite saves its data and stops. A parent that was
// killed with SIGKILL can do nothing itself, so this has to live here.
import { writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { identify } from '../data/process-identity.ts';

/** How long Azurite may take to save before it is ended anyway. */
const GRACE = 10_000;
/** In milliseconds: 24 days. Timers take no longer one. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

const ownerFile = process.env.AZURITE_OWNER_FILE;
if (ownerFile) writeFileSync(ownerFile, JSON.stringify(identify(process.pid)));

// It says that it is closing, to nobody when the parent was killed; that must not keep it from saving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), GRACE).unref();
  // Azurite listens for SIGTERM once and closes its three services.
  process.emit('SIGTERM');
});

const require = createRequire(import.meta.url);
// Every ten minutes Azurite looks for content that nothing refers to, and while it does it answers nobody: of what is in memory
// only, and soon gone, the looking takes longer than everything else.
if (process.argv.includes('--inMemoryPersistence')) {
  for (const service of ['blob', 'queue']) {
    require(`azurite/dist/src/${service}/utils/constants.js`).DEFAULT_GC_INTERVAL_MS = LONGEST_TIMEOUT;
  }
}
// Azurite loads Application Insights although its telemetry is off, and that takes longer than all else that it loads.
// Nothing of the package is used then, so that an empty module serves as well.
const insights = require.resolve('applicationinsights', { paths: [require.resolve('azurite/package.json')] });
require.cache[insights] = Object.assign(new Module(insights), { loaded: true });
require('azurite/dist/src/azurite.js');
