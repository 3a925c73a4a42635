import { z } from 'zod';

/** How a job or an archive rule copies. */
export const methodSchema = z
  .enum(['auto', 'sync', 'async', 'blocks'])
  .default('auto')
  .describe(
    'Copy method: `auto` picks one for each blob; `sync` prefers Copy Blob From URL, and Put Block From URL above 256 MiB; `async` forces Copy Blob; `blocks` forces Put Block From URL. Page and append blobs always use Copy Blob.',
  );
