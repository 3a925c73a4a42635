import { redact } from '#domain/redact.ts';
import type { ChainLink } from '#domain/run/chain-link.ts';
import { asksForAction } from '#domain/run/problems.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { currentInvocation, type LogLevel } from './invocation-log.ts';

type Properties = Record<string, string | number | boolean | undefined>;

/** Receives events and metrics in addition to the log, such as Application Insights (`application-insights.ts`). */
export interface TelemetrySink {
  event(name: string, properties: Record<string, string>, measurements: Record<string, number>): void;
  metric(name: string, value: number, properties: Record<string, string>): void;
  exception(error: Error, properties: Record<string, string>): void;
  /** Sends buffered events. The app calls it before it ends. */
  flush(): Promise<void>;
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
  /** Why the sink failed is said once: it may fail for each event. */
  #saidWhy = false;

  constructor(log: (level: LogLevel, line: string) => void, sink?: TelemetrySink) {
    this.#log = log;
    this.#sink = sink;
  }

  runStarted(run: RunRef): void {
    const { id, job, mode, trigger, dryRun } = run;
    this.#event('info', 'run-started', { run: id, job, mode, trigger, dryRun });
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
  runFinished(summary: RunSummary, cost: { total: number; currency: string }): void {
    const { id, job, mode, status, counts, bytes, progress, requests } = summary;
    const seconds = (Date.parse(summary.finishedAt ?? summary.startedAt) - Date.parse(summary.startedAt)) / 1000;
    const sent = Object.values(requests).reduce((sum, count) => sum + count, 0);
    this.#event(
      levelOf(status),
      'run-finished',
      { run: id, job, mode, status, currency: cost.currency },
      {
        ...counts,
        bytesCopied: bytes.copied,
        seconds,
        requests: sent,
        blobsPerSecond: progress.blobsPerSecond,
        cost: cost.total,
      },
    );
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
    try {
      await this.#sink?.flush();
    } catch (error) {
      this.#sayWhy(error);
    }
  }

  /** Whether the sink took the event. */
  #event(
    level: Level,
    name: string,
    properties: Properties,
    measurements: Record<string, number | undefined> = {},
  ): boolean {
    const numbers = Object.fromEntries(Object.entries(measurements).filter(([, value]) => value !== undefined));
    const texts = clean(properties);
    const about = { ...texts, level, ...clean({ invocation: currentInvocation() }) };
    const inSink = this.#send((sink) => sink.event(name, about, numbers as Record<string, number>));
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
    this.#send((sink) => sink.exception(redacted, clean(properties)));
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

function clean(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, redact(String(value))]),
  );
}
