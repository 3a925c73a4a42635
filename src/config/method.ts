import { z } from 'zod';

/** How a job or an archive rule copies. */
export const methodSchema = z
  .enum(['auto', 'sync', 'async', 'blocks'])
  .default('auto')
  .describe(
    'How to copy: `auto` picks for each blob; the others force Copy Blob From URL, Copy Blob, or Put Block From URL.',
  );
