import { randomBytes } from 'node:crypto';
import { redact } from '#domain/redact.ts';
import type { ChainLink } from '#domain/run/chain-link.ts';
import { asksForAction, worstOf } from '#domain/run/problems.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { type SpanPlace, type TracePlace, traceOfRun } from '#domain/run/trace.ts';
import { currentTrace, inTrace } from './current-trace.ts';
import { currentInvocation, type LogLevel } from './invocation-log.ts';
import { SpanLimit } from './span-limit.ts';

type Properties = Record<string, string | number | boolean | undefined>;

/**
 * Receives events and metrics in addition to the log: Application Insights (`application-insights.ts`), or a collector
 * (`otlp.ts`).
 */
export interface TelemetrySink {
  /** Whether it may lose what it takes: then the log has all events, too. */
  isLossy?: true;
  /** `place`: where in a trace it belongs, if that is known. */
  event(
    name: string,
    properties: Record<string, string>,
    measurements: Record<string, number>,
    place?: TracePlace,
  ): void;
  metric(name: string, value: number, properties: Record<string, string>): void;
  exception(error: Error, properties: Record<string, string>, place?: TracePlace): void;
  /** Sends buffered events. The app calls it before it ends. */
  flush(): Promise<void>;
}

/** Work that has ended, and its place in a trace. */
export interface Span {
  place: SpanPlace;
  name: string;
  start: Date;
  end: Date;
  attributes: Record<string, string | number>;
  /** Why the work failed, if it did. */
  error?: string;
}

/** Receives spans. */
export interface SpanSink {
  span(span: Span): void;
  /** Sends buffered spans. The app calls it before it ends. */
  flush(): Promise<void>;
}

/** What an activity is called with. */
interface RunInput {
  run: Pick<RunRef, 'id' | 'job' | 'trace'>;
  container?: string;
}

type Level = Exclude<LogLevel, 'debug'>;

interface ConditionNamed {
  id: string;
  severity: string;
  title: string;
  job?: string;
}

/**
 * All events and metrics of Strongroom. An event is a line in the log. With a sink, it goes there instead, since the
 * host would store the line in the same place: the line then has the level `debug`. Everything that leaves this class
 * is redacted. A sink that fails changes nothing of the work: the log has the event at its own level then.
 */
export class Telemetry {
  readonly #log: (level: LogLevel, line: string) => void;
  readonly #sink: TelemetrySink | undefined;
  readonly #spans: SpanSink | undefined;
  readonly #limit = new SpanLimit();
  /** Why the sink failed is said once: it may fail for each event. */
  #saidWhy = false;

  constructor(log: (level: LogLevel, line: string) => void, sink?: TelemetrySink, spans?: SpanSink) {
    this.#log = log;
    this.#sink = sink;
    this.#spans = spans;
  }

  runStarted(run: RunRef): void {
    const { id, job, mode, trigger, dryRun } = run;
    inTrace(traceOfRun(run), () => this.#event('info', 'run-started', { run: id, job, mode, trigger, dryRun }));
  }

  /**
   * Does the work of an activity. What it reports belongs to the trace of its run, and the work is a span of that
   * trace. Each attempt is a span of its own.
   */
  async activity<T>(name: string, { run, container }: RunInput, work: () => Promise<T>): Promise<T> {
    const { id, span: parent, state } = traceOfRun(run);
    const place = { id, span: randomBytes(8).toString('hex'), parent, ...(state !== undefined && { state }) };
    const start = new Date();
    const ended = (error?: string) => {
      if (!this.#spans || !this.#limit.takes(run.id, error !== undefined)) return;
      const attributes = clean({ activity: name, run: run.id, job: run.job, container });
      this.#span({ place, name: `strongroom.${name}`, start, end: new Date(), attributes }, error);
    };
    try {
      const result = await inTrace(place, work);
      ended(problemIn(result));
      return result;
    } catch (error) {
      ended(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** A timer fired while another run of the job was in progress. `reason`: why operators should look after that run. */
  runNotStarted(job: string, running: string, reason?: string): void {
    this.#event('info', 'run-not-started', { job, running, reason });
    if (reason === undefined) return;
    this.#event('error', 'run-silent', { job, run: running, reason });
    this.#metric('run-silent', 1, { job });
  }

  /** The run of a schedule could not be started, and its timer does not try again for now. */
  startFailed(about: { job: string; what: string; due: string; message: string }): void {
    this.#event('error', 'start-failed', about);
  }

  /** `cost`: as far as it is known. */
  runFinished(summary: RunSummary, cost: { total: number; currency: string }, place: SpanPlace): void {
    inTrace(place, () => this.#reportRun(summary, cost, place));
  }

  #reportRun(summary: RunSummary, cost: { total: number; currency: string }, place: SpanPlace): void {
    const { id, job, mode, status, counts, bytes, progress, requests } = summary;
    const seconds = (Date.parse(summary.finishedAt ?? summary.startedAt) - Date.parse(summary.startedAt)) / 1000;
    const sent = Object.values(requests).reduce((sum, count) => sum + count, 0);
    const about = { run: id, job, mode, status, currency: cost.currency };
    const numbers = {
      ...counts,
      bytesCopied: bytes.copied,
      seconds,
      requests: sent,
      blobsPerSecond: progress.blobsPerSecond,
      cost: cost.total,
    };
    this.#event(levelOf(status), 'run-finished', about, numbers);
    for (const report of summary.containers) {
      this.#event(
        levelOf(report.status),
        'container-finished',
        { run: id, job, container: report.container, status: report.status },
        { ...report.counts, bytesCopied: report.bytes.copied },
      );
    }
    for (const { code, container, count, message } of summary.problems) {
      this.#event(
        asksForAction(code) ? 'warn' : 'info',
        'problem',
        { run: id, job, code, container, message },
        { count },
      );
      if (code === 'throttled') this.#metric('throttled-blobs', count, { job });
    }
    this.#metric('run-failed-blobs', counts.failed, { job });
    this.#metric('run-copied-bytes', bytes.copied, { job });
    this.#metric('run-seconds', seconds, { job });
    const [start, end] = [new Date(summary.startedAt), new Date(summary.finishedAt ?? summary.startedAt)];
    const isFailure = levelOf(status) !== 'info';
    const error = isFailure ? (worstOf(summary.problems)?.code ?? status) : undefined;
    this.#span(
      { place, name: 'strongroom.run', start, end, attributes: { ...clean(about), ...known(numbers) } },
      error,
    );
  }

  /** A run found so much changed or deleted that prunes wait for an operator. */
  brakeEngaged({ id, job }: RunSummary, reason: string): void {
    this.#event('error', 'brake-engaged', { run: id, job, reason });
    this.#metric('brake-engaged', 1, { job });
  }

  /** A record was added to the chain of a job. Who keeps these lines elsewhere can check the vault against them. */
  chainHead(job: string, { number, sha256 }: ChainLink): void {
    this.#event('info', 'chain-head', { job, sha256 }, { number });
  }

  /** Seconds since the upload. A metric only: one event per upload would be as much traffic as the uploads. */
  uploadArchived(rule: string, seconds: number): void {
    this.#metric('upload-archived-seconds', seconds, { rule });
  }

  /** An attempt failed, and the queue retries it. */
  uploadFailed(rule: string, code: string, message: string): void {
    this.#event('warn', 'upload-failed', { rule, code, message });
  }

  /** The last attempt failed. The upload is in the poison list until an operator or a reconciliation processes it. */
  uploadFailedPermanently(rule: string, code: string): void {
    this.#event('error', 'upload-failed-permanently', { rule, code });
    this.#metric('upload-failed-permanently', 1, { rule });
  }

  /** A message announces no upload that a rule archives. */
  eventIgnored(queue: string, reason: string): void {
    this.#event('info', 'event-ignored', { queue, reason });
  }

  /** An activity failed. The report of the run shows it as a problem. */
  failure(activity: string, error: unknown, properties: Properties): void {
    const known = error instanceof Error ? error : new Error(String(error));
    this.#event('error', 'activity-failed', { activity, ...properties, message: known.message });
    this.#exception(known, { activity, ...properties });
  }

  /**
   * The app does nothing else than to report this, again and again. Its line stays in the log beside the event, since
   * operators look there first.
   */
  misconfigured(problems: number, message: string): void {
    const inSink = this.#event('error', 'misconfigured', { message }, { problems });
    if (inSink) this.#log('error', redact(`misconfigured ${JSON.stringify({ message, problems })}`));
  }

  /** Reports an event that changes no result. */
  warn(name: string, properties: Properties): void {
    this.#event('warn', name, properties);
  }

  /** The watch has looked. If these stop, the app is gone. */
  watchPassed(openConditions: number): void {
    this.#metric('watch-open-conditions', openConditions, {});
  }

  /** A condition has opened or closed. Channels get messages of their own. */
  conditionChanged(to: 'open' | 'closed', { id, severity, title, job }: ConditionNamed): void {
    const level = to === 'closed' || severity === 'info' ? 'info' : severity === 'warning' ? 'warn' : 'error';
    this.#event(level, `condition-${to}`, { condition: id, severity, title, job });
  }

  async flush(): Promise<void> {
    const flush = async (sink: { flush(): Promise<void> } | undefined) => sink?.flush();
    const ended = await Promise.allSettled([flush(this.#sink), flush(this.#spans)]);
    for (const each of ended) if (each.status === 'rejected') this.#sayWhy(each.reason);
  }

  /** Whether the sink took the event, so that the log need not store it. */
  #event(
    level: Level,
    name: string,
    properties: Properties,
    measurements: Record<string, number | undefined> = {},
  ): boolean {
    const numbers = known(measurements);
    const texts = clean(properties);
    const place = currentTrace();
    const about = { ...texts, level, ...clean({ invocation: currentInvocation(), trace: place?.id }) };
    const inSink = this.#send((sink) => sink.event(name, about, numbers, place)) && !this.#sink?.isLossy;
    this.#log(inSink ? 'debug' : level, redact(`${name} ${JSON.stringify({ ...texts, ...numbers })}`));
    return inSink;
  }

  #metric(name: string, value: number, properties: Record<string, string>): void {
    this.#send((sink) => sink.metric(name, value, properties));
  }

  /** Only the sink gets the stack, for developers. Users read the log. */
  #exception({ message, stack }: Error, properties: Properties): void {
    const redacted = new Error(redact(message));
    if (stack !== undefined) redacted.stack = redact(stack);
    this.#send((sink) => sink.exception(redacted, clean(properties), currentTrace()));
  }

  /** Whether there is a sink, and it took what it was given. */
  #send(give: (sink: TelemetrySink) => void): boolean {
    if (!this.#sink) return false;
    try {
      give(this.#sink);
      return true;
    } catch (error) {
      this.#sayWhy(error);
      return false;
    }
  }

  #span(span: Span, error: string | undefined): void {
    try {
      this.#spans?.span({ ...span, ...(error !== undefined && { error: redact(error) }) });
    } catch (failure) {
      this.#sayWhy(failure);
    }
  }

  #sayWhy(error: unknown): void {
    if (this.#saidWhy) return;
    this.#saidWhy = true;
    const message = error instanceof Error ? error.message : String(error);
    this.#log('warn', redact(`telemetry-not-sent ${JSON.stringify({ message })}`));
  }
}

function levelOf(status: string): Level {
  if (status === 'failed') return 'error';
  return status === 'completed-with-failures' ? 'warn' : 'info';
}

/** The code of the problem that an activity answered with. */
function problemIn(result: unknown): string | undefined {
  const { problem } = (typeof result === 'object' && result !== null ? result : {}) as { problem?: { code: string } };
  return problem?.code;
}

function known(numbers: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)) as Record<
    string,
    number
  >;
}

function clean(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, redact(String(value))]),
  );
}
