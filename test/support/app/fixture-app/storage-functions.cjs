// Functions with queue and blob triggers. FIXTURE_STORAGE names those to register, since they need a storage account.
// Each adds a line of JSON to EFFECTS_FILE.
const { appendFileSync } = require('node:fs');
const { app } = require('@azure/functions');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const effect = (name, value) => appendFileSync(process.env.EFFECTS_FILE, `${name} ${JSON.stringify(value)}\n`);

const wanted = new Set((process.env.FIXTURE_STORAGE ?? '').split(','));
const queue = (name, queueName, handler, options = {}) =>
  wanted.has(name) && app.storageQueue(name, { queueName, connection: 'QUEUES', ...options, handler });

queue('record', 'orders', (message, { triggerMetadata }) => {
  effect('record', { message, triggerMetadata });
});
queue('refuse', 'failing', (message, { triggerMetadata }) => {
  effect('refuse', { message, dequeueCount: triggerMetadata.dequeueCount });
  throw new Error('on purpose');
});
queue('poisoned', 'failing-poison', (message, { triggerMetadata }) => {
  effect('poisoned', { message, dequeueCount: triggerMetadata.dequeueCount });
});
queue('failPoison', 'lost-poison', (message) => {
  effect('failPoison', { message });
  throw new Error('on purpose');
});
let concurrent = 0;
queue('linger', 'slow', async ({ n, ms }, { triggerMetadata: { id, popReceipt, dequeueCount } }) => {
  effect('linger begins', { n, concurrent: ++concurrent, id, popReceipt, dequeueCount });
  await sleep(ms);
  concurrent--;
  effect('linger ends', { n, dequeueCount });
});
// Without a connection of its own: it uses the app's storage account.
if (wanted.has('own')) {
  app.storageQueue('own', {
    queueName: '%OWN_QUEUE%',
    connection: '',
    handler: (message) => effect('own', { message }),
  });
}

const blob = (name, path, options = {}) =>
  wanted.has(name) &&
  app.storageBlob(name, {
    path,
    connection: 'BLOBS',
    ...options,
    handler: (content, { triggerMetadata }) => {
      effect(name, { text: Buffer.isBuffer(content) ? content.toString() : content, triggerMetadata });
      if (triggerMetadata.blobTrigger.includes('bad')) throw new Error('on purpose');
    },
  });
blob('scanned', 'incoming/{name}');
blob('texts', 'incoming/{folder}/{file}.txt');
blob('pushed', 'pushed/{name}', { source: 'EventGrid' });
