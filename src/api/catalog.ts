import { z } from 'zod';
import { count, cursor, next, texts } from './fields.ts';
import { operations } from './operation.ts';

export const catalogOperations = operations({
  rebuildCatalog: {
    method: 'POST',
    path: 'catalog/rebuild',
    summary: 'Rebuild the list of runs from the vault',
    needs: 'protect',
    query: z.strictObject({ cursor: cursor.optional() }),
    answers: { 200: z.strictObject({ runs: count, damaged: texts, next }) },
    errors: { 400: ['cursor-invalid'], 502: ['catalog-unavailable'], 503: ['catalog-unavailable'] },
  },
});
