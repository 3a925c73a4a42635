import { expect, test } from 'vitest';
import { queueConnectionOf } from '#config/queue-connection.ts';

test.each([
  ['a connection string', { UPLOADS: 'AccountName=a' }, { connectionString: 'AccountName=a' }],
  [
    'an address',
    { UPLOADS__queueServiceUri: 'https://a.queue.core.windows.net', UPLOADS__clientId: 'x' },
    { queueServiceUri: 'https://a.queue.core.windows.net', clientId: 'x' },
  ],
  ['a name', { UPLOADS__accountName: 'a' }, { queueServiceUri: 'https://a.queue.core.windows.net' }],
  [
    'the address before the name',
    { UPLOADS__accountName: 'b', UPLOADS__queueServiceUri: 'u' },
    { queueServiceUri: 'u' },
  ],
  ['nothing', { OTHER: 'x' }, undefined],
])('a connection has %s', (_, settings, connection) => {
  expect(queueConnectionOf('UPLOADS', settings)).toEqual(connection);
});

test('a colon in the name of a connection is two underscores in the settings', () => {
  expect(queueConnectionOf('uploads:account', { uploads__account: 'x' })).toEqual({ connectionString: 'x' });
});
