import { redact } from '#domain/redact.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';

type Properties = Record<string, string | number | boolean | undefined>;

/** Where events and metrics go besides the log. Application Insights is one; see `application-insights.ts`. */
export interface TelemetrySink {
  event(name: string, properties: Record<string, string>, measurements: Record<string, number>): void;
  metric(name: string, value: number, properties: Record<string, string>): void;
  exception(error: Error, properties: Record<string, string>): void;
  /** Sends what is waiting; called before the app ends. */
  flush(): Promise<void>;
}

/**
 * Every event and metric Strongroom emits, by name, in one place. Each event is also one line in the log. Nothing
 * leaves here without having been redacted.
 */
export class Telemetry {
  readonly #log: (line: string) => void;
  readonly #sink: TelemetrySink | undefined;

  constructor(log: (line: string) => void, sink?: TelemetrySink) {
    this.#log = log;
    this.#sink = sink;
  }

  runStarted(run: RunRef): void {
    const { id, job, mode, trigger, dryRun } = run;
    this.#event('run-started', { run: id, job, mode, trigger, dryRun });
  }

  /** A timer found the job's last run still at work. */
  runNotStarted(job: string, running: string): void {
    this.#event('run-not-started', { job, running });
  }

  runFinished(summary: RunSummary): void {
    const { id, job, mode, status, counts, bytes, progress, requests } = summary;
    const seconds = (Date.parse(summary.finishedAt ?? summary.startedAt) - Date.parse(summary.startedAt)) / 1000;
    const sent = Object.values(requests).reduce((sum, count) => sum + count, 0);
    this.#event(
      'run-finished',
      { run: id, job, mode, status },
      { ...counts, bytesCopied: bytes.copied, seconds, requests: sent, blobsPerSecond: progress.blobsPerSecond },
    );
    for (const report of summary.containers) {
      this.#event(
        'container-finished',
        { run: id, job, container: report.container, status: report.status },
        { ...report.counts, bytesCopied: report.bytes.copied },
      );
    }
    for (const { code, container, count, message } of summary.problems) {
      this.#event('problem', { run: id, job, code, container, message }, { count });
      if (code === 'throttled') this.#sink?.metric('throttled-blobs', count, { job });
    }
    this.#sink?.metric('run-failed-blobs', counts.failed, { job });
    this.#sink?.metric('run-copied-bytes', bytes.copied, { job });
    this.#sink?.metric('run-seconds', seconds, { job });
  }

  /** A run changed or lost so much that pruning waits until somebody has looked. */
  brakeEngaged({ id, job }: RunSummary, reason: string): void {
    this.#event('brake-engaged', { run: id, job, reason });
    this.#sink?.metric('brake-engaged', 1, { job });
  }

  /** Seconds since it was uploaded. One event for each would be as much traffic as the uploads themselves. */
  uploadArchived(rule: string, seconds: number): void {
    this.#sink?.metric('upload-archived-seconds', seconds, { rule });
  }

  /** A try that will be followed by another. */
  uploadFailed(rule: string, code: string, message: string): void {
    this.#event('upload-failed', { rule, code, message });
  }

  /** The last try failed: it waits among the poisoned, for somebody to look or for the next reconcile. */
  uploadGivenUp(rule: string, code: string): void {
    this.#event('upload-given-up', { rule, code });
    this.#sink?.metric('upload-given-up', 1, { rule });
  }

  /** A message that tells of nothing that a rule archives. */
  eventIgnored(queue: string, reason: string): void {
    this.#event('event-ignored', { queue, reason });
  }

  /** An activity ended in a way its report will show as a problem. */
  failure(activity: string, error: unknown, properties: Properties): void {
    const known = error instanceof Error ? error : new Error(String(error));
    this.#event('activity-failed', { activity, ...properties, message: known.message });
    // The stack helps whoever mends it, and is for them alone: it goes to no log that users read.
    const told = new Error(redact(known.message));
    if (known.stack !== undefined) told.stack = redact(known.stack);
    this.#sink?.exception(told, clean({ activity, ...properties }));
  }

  /** Something worth knowing that changes no result. */
  warn(name: string, properties: Properties): void {
    this.#event(name, properties);
  }

  async flush(): Promise<void> {
    await this.#sink?.flush();
  }

  #event(name: string, properties: Properties, measurements: Record<string, number | undefined> = {}): void {
    const numbers = Object.fromEntries(Object.entries(measurements).filter(([, value]) => value !== undefined));
    const texts = clean(properties);
    this.#log(redact(`${name} ${JSON.stringify({ ...texts, ...numbers })}`));
    this.#sink?.event(name, texts, numbers as Record<string, number>);
  }
}

function clean(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, redact(String(value))]),
  );
}
