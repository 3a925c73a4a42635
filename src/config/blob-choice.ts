import { z } from 'zod';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { text } from './text.ts';

/** Which blobs of a source are meant: the options that jobs and archive rules share. */
export const blobChoice = {
  prefix: z.string().max(1024).default('').describe('Only blobs whose names begin with this.'),
  include: z
    .array(text(globProblem))
    .default([])
    .describe('Only blobs whose names match one of these globs; none means all.'),
  exclude: z
    .array(text(globProblem))
    .default([])
    .describe('Not the blobs whose names match one of these globs, such as `**/*.tmp`.'),
};
