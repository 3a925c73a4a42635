import type { Side } from '#app/problem-code.ts';
import { type Finding, worse } from '#domain/rights/finding.ts';
import type { Right } from '#domain/rights/right.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { inTime } from '../http/in-time.ts';
import { findingOf } from './finding-of.ts';

/** Milliseconds for one request. */
export const PATIENCE_MS = 5_000;

/** Of what no account has answered in all the time. */
export const NO_ANSWER: Finding = { is: 'unknown', code: 'unreachable', detail: '' };

type Service = 'blobs' | 'tables';

/** Asks one account about rights, and notes what its answers show. It throws nothing. */
export class Asker {
  readonly findings = new Map<Right, Finding>();
  readonly #alias: string;
  readonly #side: Side;
  readonly #unexpected: (error: unknown) => void;
  /** A service that has not answered is not asked again. */
  readonly #silent = new Map<Service, Finding>();

  constructor(alias: string, side: Side, unexpected: (error: unknown) => void) {
    this.#alias = alias;
    this.#side = side;
    this.#unexpected = unexpected;
  }

  note(right: Right, finding: Finding): void {
    this.findings.set(right, worse(this.findings.get(right), finding));
  }

  /**
   * What the account answers; undefined if it answers with an error or not in time. `place`: the container or table
   * that it is asked about, if there are others.
   */
  async ask<T>(right: Right, send: () => Promise<T>, place?: string): Promise<T | undefined> {
    const service: Service = /tables|catalog/.test(right) ? 'tables' : 'blobs';
    const silent = this.#silent.get(service);
    if (silent) {
      this.note(right, silent);
      return undefined;
    }
    try {
      const answer = await inTime(PATIENCE_MS, this.#alias, send());
      this.note(right, { is: 'granted' });
      return answer;
    } catch (error) {
      if (!isStorageError(error)) this.#unexpected(error);
      const finding = findingOf(error, this.#side, service);
      if (isStorageError(error, 'unreachable', 'account-not-found')) this.#silent.set(service, finding);
      this.note(right, place === undefined ? finding : inPlace(finding, place));
      return undefined;
    }
  }
}

/** That one container or table is not there says nothing of the others. */
function inPlace(finding: Finding, place: string): Finding {
  const isAbsent = finding.is === 'unknown' && /^(container|table)-not-found$/.test(finding.code);
  return isAbsent ? { ...finding, places: [place] } : finding;
}
