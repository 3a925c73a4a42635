import { zone } from '../app/clock.ts';
import { link } from '../app/router.ts';
import type { Series } from '../model/job.ts';
import { bytes, counted, number } from '../model/quantity.ts';
import { duration, exact } from '../model/time.ts';

const HEIGHT = 44;
const BAR = 6;
const GAP = 2;

const WORDS: Readonly<Record<Series['unit'], (value: number) => string>> = {
  bytes,
  seconds: duration,
  items: number,
};

/** Bars over time, the newest on the right, with the newest and the largest in words. */
export function Bars({ series: { name, unit, bars } }: { series: Series }) {
  const say = WORDS[unit];
  const largest = Math.max(...bars.map(({ value }) => value));
  const newest = bars.at(-1)!;
  const width = bars.length * (BAR + GAP) - GAP;
  const timeZone = zone.value === 'UTC' ? 'UTC' : undefined;
  const text = `${say(newest.value)} in the newest of ${counted(bars.length, 'backup')}, at most ${say(largest)}`;
  return (
    <figure class="bars">
      <figcaption>
        {name} <strong>{say(newest.value)}</strong>
        <span class="small" title={text}>
          up to {say(largest)}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" height={HEIGHT} aria-hidden="true">
        {bars.map(({ run, at, value, isBad }, index) => {
          const height = Math.max(value > 0 ? 2 : 0, (value / largest) * HEIGHT);
          return (
            <a href={link(`/runs/${encodeURIComponent(run)}`)} tabindex={-1}>
              <title>{`${exact(new Date(at), timeZone)}: ${say(value)}`}</title>
              <rect x={index * (BAR + GAP)} width={BAR} y={0} height={HEIGHT} class="reach" />
              <rect
                x={index * (BAR + GAP)}
                width={BAR}
                y={HEIGHT - height}
                height={height}
                class={isBad ? 'column bad' : 'column'}
              />
            </a>
          );
        })}
      </svg>
    </figure>
  );
}
