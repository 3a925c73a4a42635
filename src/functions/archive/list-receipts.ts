import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { receiptsOf } from '#app/job-context.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor, invalid } from '../http/http-error.ts';
import { configuredRule } from './configured-rule.ts';

/** GET /api/archives/{rule}/receipts — all receipts, those of names with a prefix, or those of one name in full. */
export function listReceiptsHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listReceipts, async ({ params, query: { name, prefix, state, limit, cursor } }) => {
    const rule = configuredRule(deps, params.rule);
    if (name !== undefined && prefix !== undefined) {
      throw invalid('query', [{ path: ['prefix'], message: 'specify "name" or "prefix", not both' }]);
    }
    const receipts = receiptsOf(deps, rule.name);
    const asked = [rule.name, name, prefix, state];
    const page = await receipts
      .list({
        limit,
        ...(name !== undefined && { name }),
        ...(prefix && { prefix }),
        ...(cursor && { marker: readCursor(cursor, asked) }),
      })
      .catch((error) => {
        throw cursor && isStorageError(error, 'invalid') ? foreignCursor() : error;
      });
    const wanted = page.receipts.filter((line) => state === undefined || line.state === state);
    const items =
      name === undefined
        ? wanted.map(({ path, receiptEtag, ...line }) => line)
        : (await Promise.all(wanted.map(({ etag }) => receipts.read(name, etag)))).flatMap(
            (found) => found?.value ?? [],
          );
    return reply(200, {
      rule: rule.name,
      receipts: items,
      next: page.next === undefined ? null : writeCursor(page.next, asked),
    });
  });
}
