import { createHash } from 'node:crypto';

/**
 * A place in a trace, as W3C Trace Context has it. Locks and histories store it: it is small and has no secret. Its
 * `sampled` flag is left out, since Strongroom reports every run.
 */
export interface TracePlace {
  /** The trace: 32 lower-case hexadecimal digits. */
  id: string;
  /** The span: 16 of them. */
  span: string;
  /** `tracestate`: what tracing systems keep there, at most 512 characters of ASCII. */
  state?: string;
}

/** A span, and the span that caused it. */
export interface SpanPlace extends TracePlace {
  /** Absent if it begins the trace. */
  parent?: string;
}

/**
 * The place that a caller names by `traceparent` and `tracestate`; undefined if the first is not valid. Anyone who may
 * call can write them. A `tracestate` that is not valid, or too long to be stored with each step, is left out.
 */
export function parseTrace(traceparent: unknown, tracestate?: unknown): TracePlace | undefined {
  if (typeof traceparent !== 'string') return undefined;
  // Later versions may add fields. Version 00 has none, and ff is not valid.
  const match = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-[!-~]{0,256})?$/.exec(
    traceparent.trim(),
  );
  if (!match || (match[1] === '00' && traceparent.trim().length > 55)) return undefined;
  const [, , id, span] = match as unknown as [string, string, string, string];
  if (isZero(id) || isZero(span)) return undefined;
  return { id, span, ...(isState(tracestate) && { state: tracestate }) };
}

/**
 * The span of a run. Every process finds the same one, also after a crash: it follows from the id of the run, and so
 * does its trace if no caller named one. An input of an earlier version has none, either.
 */
export function traceOfRun(run: { id: string; trace?: TracePlace }): SpanPlace {
  return below(run.trace, run.id);
}

/** The span of an upload that an event announced: the same in every attempt for that event. */
export function traceOfUpload(upload: { owner: string; trace?: TracePlace }): SpanPlace {
  return below(upload.trace, upload.owner);
}

function below(caller: unknown, id: string): SpanPlace {
  const span = digits(`span of ${id}`, 16);
  // Locks and messages come from storage, where others may write.
  if (!isPlace(caller)) return { id: digits(`trace of ${id}`, 32), span };
  const state = isState(caller.state) ? { state: caller.state } : {};
  return { id: caller.id, span, parent: caller.span, ...state };
}

function isPlace(value: unknown): value is TracePlace {
  if (typeof value !== 'object' || value === null) return false;
  const { id, span } = value as Partial<Record<string, unknown>>;
  return isDigits(id, 32) && isDigits(span, 16);
}

function isDigits(value: unknown, length: number): boolean {
  return typeof value === 'string' && value.length === length && /^[\da-f]+$/.test(value) && !isZero(value);
}

function isZero(digits: string): boolean {
  return /^0+$/.test(digits);
}

function digits(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

const STATE_KEY = /^[a-z\d][a-z\d_*/-]{0,255}(?:@[a-z][a-z\d_*/-]{0,13})?$/;
/** Printable ASCII without comma and equals sign; the last character is no space. */
const STATE_VALUE = /^[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

function isState(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 512 || text.trim() === '') return false;
  const members = text.split(',').map((member) => member.trim());
  const keys = members.filter((member) => member !== '').map((member) => member.split('=', 1)[0]!);
  const isMember = (member: string) => {
    const at = member.indexOf('=');
    return at > 0 && STATE_KEY.test(member.slice(0, at)) && STATE_VALUE.test(member.slice(at + 1));
  };
  const isValid = members.every((member) => member === '' || isMember(member));
  return isValid && keys.length <= 32 && new Set(keys).size === keys.length;
}
