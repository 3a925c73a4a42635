import { z } from 'zod';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { text } from './schema-parts.ts';

/** Which blobs of a source are meant: the options that jobs and archive rules share. */
export const blobChoice = {
  prefix: z.string().max(1024).default('').describe('Include only blobs whose names start with this text.'),
  include: z
    .array(text(globProblem))
    .default([])
    .describe('Include only blobs whose names match one of these globs. An empty list includes all blobs.'),
  exclude: z
    .array(text(globProblem))
    .default([])
    .describe('Exclude blobs whose names match one of these globs, for example `**/*.tmp`.'),
};
