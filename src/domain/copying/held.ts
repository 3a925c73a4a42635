import type { BlobState } from '../blobs/blob.ts';
import { defined } from '../run/defined.ts';
import { type Copied, type OutcomeDetails, outcomeOf, type Unchanged } from '../run/outcome.ts';
import { beyondCopy } from './record.ts';

/** The outcome of a blob that the vault has, with the metadata of the source if its copy lacks some of it. */
export function heldAs(source: BlobState, status: 'copied', details: OutcomeDetails<'copied'>): Copied;
export function heldAs(source: BlobState, status: 'unchanged', details: OutcomeDetails<'unchanged'>): Unchanged;
export function heldAs(source: BlobState, status: 'copied' | 'unchanged', details: object): Copied | Unchanged {
  return outcomeOf(source, status, { ...details, ...defined({ metadata: beyondCopy(source.metadata) }) });
}
