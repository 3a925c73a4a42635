import type { CopyMethod } from '../run/outcome.ts';
import type { ProblemCode } from '../run/problems.ts';
import { RECEIPT_FORMAT } from '../run/stored-format.ts';

/** One version of one blob: what a receipt is about. */
export interface SourceVersion {
  /** Address of the blob service, such as `https://acct.blob.core.windows.net`. */
  account: string;
  container: string;
  name: string;
  etag: string;
  /** Last-modified time of this version, ISO 8601: when it was uploaded. */
  modified: string;
  size: number;
}

/**
 * - `claimed`: somebody is at it, until the claim expires.
 * - `failed`: the last try came to nothing; anybody may take it up at once.
 * - `done`: archived, and seen to be.
 * - `missed`: it was deleted or overwritten before it could be copied.
 */
export type ReceiptState = 'claimed' | 'failed' | 'done' | 'missed';

/** Evidence that one version was archived, or who is at it. One small object in the vault, replaced by compare-and-swap. */
export interface Receipt {
  format: typeof RECEIPT_FORMAT;
  rule: string;
  source: SourceVersion;
  state: ReceiptState;
  /** Who claimed it last: by this an owner recognises its own claim when the answer to its write was lost. */
  owner: string;
  claimedAt: string;
  /** From then on anybody may take the claim over. */
  expiresAt: string;
  /** How often it has been claimed. */
  tries: number;
  /** An asynchronous copy that is waited for. */
  copy?: { id: string; startedAt: string; tries: number; lacks?: ProblemCode };
  archived?: Archived;
  finishedAt?: string;
  /** From the claim that led to the end, or from the start of an asynchronous copy. */
  seconds?: number;
  problem?: { code: ProblemCode; message?: string };
}

/** What was copied, and where it lies. */
export interface Archived {
  account: string;
  container: string;
  name: string;
  etag: string;
  /** Absent where the copy was there already: made by a try that did not live to tell. */
  method?: CopyMethod | 'properties';
  /** What the copy was made without. */
  lacks?: ProblemCode;
}

export type Standing =
  /** Nobody is at it: it may be claimed. */
  | { is: 'free' }
  | { is: 'ended' }
  /** Another owner's claim holds for so many milliseconds more. */
  | { is: 'held'; forMs: number };

/** A claim from further ahead than clocks can differ was made before a clock was set back: it would outlive its owner. */
const CLOCKS_APART_MS = 3_600_000;

/** Whether `owner` may work on this version, which the source has. Its own claim it may take up again, which also renews it. */
export function standingOf(receipt: Receipt | undefined, owner: string, now: Date): Standing {
  if (receipt?.state === 'done') return { is: 'ended' };
  // What was missed and is asked for is there after all: somebody has brought it back.
  if (receipt?.state !== 'claimed') return { is: 'free' };
  if (receipt.owner === owner) return { is: 'free' };
  const forMs = Date.parse(receipt.expiresAt) - now.getTime();
  const lead = Date.parse(receipt.claimedAt) - now.getTime();
  return forMs <= 0 || lead > CLOCKS_APART_MS ? { is: 'free' } : { is: 'held', forMs };
}

/** The receipt as it is while this owner works on it. What is known of a copy under way goes on with it. */
export function claim(
  before: Receipt | undefined,
  rule: string,
  source: SourceVersion,
  owner: string,
  now: Date,
  claimMs: number,
): Receipt {
  return {
    format: RECEIPT_FORMAT,
    rule,
    source,
    state: 'claimed',
    owner,
    claimedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + claimMs).toISOString(),
    tries: (before?.tries ?? 0) + 1,
    ...(before?.copy && { copy: before.copy }),
  };
}

/** The end of a claim, one way or another. */
export function ended(
  { copy, problem, ...claimed }: Receipt,
  state: Exclude<ReceiptState, 'claimed'>,
  now: Date,
  more: Pick<Receipt, 'archived' | 'problem'>,
): Receipt {
  const begun = copy?.startedAt ?? claimed.claimedAt;
  const seconds = Math.max(now.getTime() - Date.parse(begun), 0) / 1000;
  return { ...claimed, state, finishedAt: now.toISOString(), seconds, ...more };
}

/** What a listing tells of a receipt, in its metadata: enough to know whether anything is left to do. */
export interface ReceiptLine {
  name: string;
  etag: string;
  state: ReceiptState;
  /** When it ended, or when its claim expires. */
  at: string;
  /** Of the version: when it was uploaded. */
  modified: string;
}

export function lineOf({ source, state, finishedAt, expiresAt }: Receipt): ReceiptLine {
  return {
    name: source.name,
    etag: source.etag,
    state,
    at: finishedAt ?? expiresAt,
    modified: source.modified,
  };
}

export function isReceiptLine(value: unknown): value is ReceiptLine {
  if (typeof value !== 'object' || value === null) return false;
  const { name, etag, state, at } = value as Partial<ReceiptLine>;
  return typeof name === 'string' && typeof etag === 'string' && isState(state) && typeof at === 'string';
}

/** Whether what was read where a receipt lies is one, and of this version. */
export function isReceipt(value: unknown, name: string, etag: string): value is Receipt {
  if (typeof value !== 'object' || value === null) return false;
  const { format, source, state, owner, claimedAt, expiresAt, tries } = value as Partial<Receipt>;
  return (
    format === RECEIPT_FORMAT &&
    source?.name === name &&
    source.etag === etag &&
    isState(state) &&
    typeof owner === 'string' &&
    !Number.isNaN(Date.parse(String(claimedAt))) &&
    !Number.isNaN(Date.parse(String(expiresAt))) &&
    Number.isSafeInteger(tries)
  );
}

function isState(state: unknown): state is ReceiptState {
  return state === 'claimed' || state === 'failed' || state === 'done' || state === 'missed';
}
