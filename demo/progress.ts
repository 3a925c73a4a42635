import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';
import { count } from './screen.ts';

export interface Progress {
  done: number;
  /** Absent while it is unknown. */
  total?: number | undefined;
  blobsPerSecond: number;
  bytesPerSecond: number;
  secondsLeft?: number | null | undefined;
}

const WIDTH = 10;

/** `[####------]  41 %  1,231 of 3,009  610 blobs/s  21 MB/s  3s left`, which fits a terminal of 80 columns. */
export function progressLine({ done, total, blobsPerSecond, bytesPerSecond, secondsLeft }: Progress): string {
  const fraction = total ? Math.min(done / total, 1) : 0;
  const filled = Math.round(fraction * WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
  const percent = total === undefined ? '  … %' : `${String(Math.floor(fraction * 100)).padStart(3)} %`;
  const of = total === undefined ? '' : ` of ${count(total)}`;
  const left =
    secondsLeft == null || total === undefined
      ? ''
      : `  ${prettyMilliseconds(secondsLeft * 1000, { secondsDecimalDigits: 0 })} left`;
  const rates = `${count(Math.round(blobsPerSecond))} blobs/s  ${prettyBytes(bytesPerSecond, { maximumFractionDigits: 1 })}/s`;
  return `${bar} ${percent}  ${count(done)}${of}  ${rates}${left}`;
}

/** The rates of the demo's own work. */
export class Meter {
  readonly #total: number;
  readonly #startedAt = Date.now();
  #done = 0;
  #bytes = 0;

  constructor(total: number) {
    this.#total = total;
  }

  add(bytes: number): string {
    this.#done++;
    this.#bytes += bytes;
    const seconds = Math.max(Date.now() - this.#startedAt, 1) / 1000;
    const blobsPerSecond = this.#done / seconds;
    return progressLine({
      done: this.#done,
      total: this.#total,
      blobsPerSecond,
      bytesPerSecond: this.#bytes / seconds,
      secondsLeft: (this.#total - this.#done) / blobsPerSecond,
    });
  }

  get done(): string {
    const took = prettyMilliseconds(Date.now() - this.#startedAt);
    return `${count(this.#done)} blobs, ${prettyBytes(this.#bytes)}, in ${took}`;
  }
}
