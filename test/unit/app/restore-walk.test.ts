import { expect, it } from 'vitest';
import type { FoundEntry } from '#app/manifest-walk.ts';
import type { RestorePlaces } from '#app/restore-places.ts';
import { decideFound } from '#app/restore-walk.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import type { Held } from '#domain/run/outcome.ts';
import { blobState } from '../../support/builders/blob-state.ts';

const EARLIER = 'nightly-20260502T000000Z-aaaaaa';
const ORIGINAL = blobState({ etag: '0xS1', contentMd5: 'AAAA' });
const ENTRY: Held = {
  ...{ name: ORIGINAL.name, status: 'copied', etag: ORIGINAL.etag, modified: ORIGINAL.lastModified },
  ...{ size: ORIGINAL.size, md5: 'AAAA', vaultEtag: '0xV1' },
};
const CONTENT = { ...ORIGINAL, etag: '0xV1', metadata: withRecord(undefined, recordOf(ORIGINAL, EARLIER))! };
/** As `copyBlocks` leaves it: without a copy state. */
const MADE = { ...ORIGINAL, etag: '0xT', metadata: {}, lastModified: '2026-05-02T00:01:00.000Z' };

function decide(target: Partial<typeof MADE>, retryOf?: string) {
  const account = { endpoint: 'https://vault', canAddress: () => true };
  const places = {
    ...{ source: account, target: account, container: 'imagesbackup', destination: 'images' },
    ...{ sourcePrefix: '', targetPrefix: '', policy: { existing: 'fail', original: false } },
    run: { startedAt: '2026-05-02T01:00:00.000Z', ...(retryOf && { retryOf }) },
  } as unknown as RestorePlaces;
  const found: FoundEntry = { entry: ENTRY, content: CONTENT, named: [CONTENT], target: { ...MADE, ...target } };
  return decideFound(places, found);
}

it('what the retried restore may have committed in blocks is looked at before it is copied, and not seen as there', () => {
  const planned = decide({}, EARLIER);
  expect(planned).toMatchObject({ from: { name: 'a.txt', etag: '' }, entry: { etag: '0xS1' } });
  expect(planned).not.toHaveProperty('to');
});

it('it is another one without a retry, from before the retried restore, or of another size', () => {
  for (const made of [
    decide({}),
    decide({ lastModified: '2026-05-01T20:00:00.000Z' }, EARLIER),
    decide({ size: 11 }, EARLIER),
  ]) {
    // A retry of this one knows by its ETag that it was there.
    expect(made).toMatchObject({ status: 'failed', code: 'target-exists', source: { etag: '0xT' } });
  }
});
