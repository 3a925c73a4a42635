import { reasonOf } from './otlp-resource.ts';

/** Called when a collector no longer takes something, with the reason; once until it takes something again. */
export type Noticed = (reason: string) => void;

interface Exporter<Item> {
  export(items: Item[], done: (result: { code: number; error?: Error }) => void): void;
  shutdown(): Promise<void>;
  forceFlush(): Promise<void>;
}

/** The same exporter, whose failures are noticed. The processor in front of it drops what fails without a word. */
export function noticing<Item>(exporter: Exporter<Item>, noticed: Noticed): Exporter<Item> {
  let isFailing = false;
  return {
    export: (items, done) =>
      exporter.export(items, (result) => {
        const hasFailed = result.error !== undefined || result.code !== 0;
        if (hasFailed && !isFailing) noticed(reasonOf(result.error));
        isFailing = hasFailed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
