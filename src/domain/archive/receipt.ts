import type { CopyMethod } from '../run/outcome.ts';
import type { ProblemCode } from '../run/problems.ts';
import { RECEIPT_FORMAT } from '../run/stored-format.ts';
import type { Settlement } from './settlement.ts';

/** One version of one blob: the subject of a receipt. */
export interface SourceVersion {
  /** Address of the blob service, such as `https://acct.blob.core.windows.net`. */
  account: string;
  container: string;
  name: string;
  etag: string;
  /** Last-modified time of this version, ISO 8601: the time of the upload. */
  modified: string;
  size: number;
  /** All of its metadata, if the copy lacks some. */
  metadata?: Record<string, string>;
}

/**
 * - `claimed`: an owner is archiving it, until the claim expires.
 * - `failed`: the last attempt failed; any owner may claim it at once.
 * - `done`: archived, and seen to be.
 * - `missed`: deleted or overwritten before it could be copied.
 * - `settled`: an operator has settled that it is not archived.
 */
export type ReceiptState = (typeof RECEIPT_STATES)[number];
export const RECEIPT_STATES = ['claimed', 'failed', 'done', 'missed', 'settled'] as const;

/**
 * Evidence that one version is archived, or the claim of its owner. One small object in the vault, replaced by
 * compare-and-swap.
 */
export interface Receipt {
  format: typeof RECEIPT_FORMAT;
  rule: string;
  source: SourceVersion;
  state: ReceiptState;
  /** The last owner. By this, an owner recognizes its own claim if the answer to its write was lost. */
  owner: string;
  claimedAt: string;
  /** From then on, any owner may take the claim over. */
  expiresAt: string;
  /** How many times it was claimed. */
  tries: number;
  /** An asynchronous copy in progress. */
  copy?: { id: string; startedAt: string; tries: number; lacks?: ProblemCode };
  archived?: Archived;
  finishedAt?: string;
  /** From the last claim, or from the start of an asynchronous copy. */
  seconds?: number;
  problem?: { code: ProblemCode; message?: string };
  settlement?: Settlement;
}

/** The copy, and where it is. */
export interface Archived {
  account: string;
  container: string;
  name: string;
  etag: string;
  /** Absent if an earlier, interrupted attempt made the copy. */
  method?: CopyMethod | 'properties';
  /** What the copy lacks. */
  lacks?: ProblemCode;
}

export type Standing =
  /** It has no owner: it may be claimed. */
  | { is: 'free' }
  | { is: 'ended' }
  | { is: 'settled' }
  /** The claim of another owner holds for this many milliseconds more. */
  | { is: 'held'; forMs: number };

/** A claim from further ahead than clocks differ was made before a clock was set back: it would outlive its owner. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * Whether `owner` may archive this version, which the source has. It may take up its own claim again, which renews the
 * claim.
 */
export function standingOf(receipt: Receipt | undefined, owner: string, now: Date): Standing {
  if (receipt?.state === 'done') return { is: 'ended' };
  if (receipt?.state === 'settled') return { is: 'settled' };
  // A missed version that the source has again may be claimed.
  if (receipt?.state !== 'claimed') return { is: 'free' };
  if (receipt.owner === owner) return { is: 'free' };
  const forMs = Date.parse(receipt.expiresAt) - now.getTime();
  const lead = Date.parse(receipt.claimedAt) - now.getTime();
  return forMs <= 0 || lead > CLOCKS_APART_MS ? { is: 'free' } : { is: 'held', forMs };
}

/** The receipt while this owner archives the version. It keeps what is known of a copy in progress. */
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

/** The receipt of a version that an operator has settled, whatever was tried before. It keeps why that failed. */
export function settledAs(
  before: Receipt | undefined,
  rule: string,
  source: SourceVersion,
  settlement: Settlement,
): Receipt {
  const { at } = settlement;
  const unclaimed = { owner: '', claimedAt: at, expiresAt: at, tries: 0 };
  const first: Receipt = { format: RECEIPT_FORMAT, rule, source, state: 'failed', ...unclaimed };
  const { archived: _, copy: __, ...known } = before ?? first;
  return { ...known, state: 'settled', finishedAt: at, settlement };
}

/** The receipt at the end of a claim. */
export function ended(
  { copy, problem, ...claimed }: Receipt,
  state: Exclude<ReceiptState, 'claimed' | 'settled'>,
  now: Date,
  more: Pick<Receipt, 'archived' | 'problem'>,
): Receipt {
  const begun = copy?.startedAt ?? claimed.claimedAt;
  const seconds = Math.max(now.getTime() - Date.parse(begun), 0) / 1000;
  return { ...claimed, state, finishedAt: now.toISOString(), seconds, ...more };
}

/** The fields of a receipt that a listing shows, from its metadata: enough to know whether work is left. */
export interface ReceiptLine {
  name: string;
  etag: string;
  state: ReceiptState;
  /** When it ended, or when its claim expires. */
  at: string;
  /** The time of the upload. */
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
  const { name, etag, state, at }: Partial<ReceiptLine> = value ?? {};
  return typeof name === 'string' && typeof etag === 'string' && isState(state) && typeof at === 'string';
}

/** Whether an object is the receipt of this version. */
export function isReceipt(value: unknown, name: string, etag: string): value is Receipt {
  const { format, source, state, owner, claimedAt, expiresAt, tries }: Partial<Receipt> = value ?? {};
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
  return RECEIPT_STATES.some((each) => each === state);
}
