import { globProblem } from '#domain/blobs/blob-filter.ts';
import { prefixProblem } from '#domain/blobs/prefix-problem.ts';
import { someOf, text } from './schema-parts.ts';

/** The options that select blobs of a source. Jobs and archive rules share them. */
export const blobChoice = {
  prefix: text(prefixProblem).max(1024).default('').describe('Include only blobs whose names start with this text.'),
  include: someOf(text(globProblem)).describe('Include only blobs whose names match one of these globs.'),
  exclude: someOf(text(globProblem)).describe(
    'Exclude blobs whose names match one of these globs, for example `**/*.tmp`.',
  ),
};
