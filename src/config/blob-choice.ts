import { z } from 'zod';
import { globProblem } from '#domain/blobs/blob-filter.ts';
import { prefixProblem } from '#domain/blobs/prefix-problem.ts';
import { text } from './schema-parts.ts';

/** The options that select blobs of a source. Jobs and archive rules share them. */
export const blobChoice = {
  prefix: text(prefixProblem).max(1024).default('').describe('Include only blobs whose names start with this text.'),
  include: z
    .array(text(globProblem))
    .default([])
    .describe('Include only blobs whose names match one of these globs. An empty list includes all blobs.'),
  exclude: z
    .array(text(globProblem))
    .default([])
    .describe('Exclude blobs whose names match one of these globs, for example `**/*.tmp`.'),
};
