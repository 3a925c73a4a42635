import { now, zone } from '../app/clock.ts';
import { exact, relative, short } from '../model/time.ts';

const zoneOf = () => (zone.value === 'UTC' ? 'UTC' : undefined);

/** `4 min ago`; with the exact time on hover and for screen readers that ask for it. */
export function Ago({ time }: { time: string }) {
  const date = new Date(time);
  return (
    <time datetime={time} title={exact(date, zoneOf())}>
      {relative(date, now.value)}
    </time>
  );
}

/** `Sun 29 Nov, 23:30`. */
export function At({ time }: { time: string }) {
  const date = new Date(time);
  return (
    <time datetime={time} title={`${exact(date, zoneOf())} · ${relative(date, now.value)}`}>
      {short(date, now.value, zoneOf())}
    </time>
  );
}

/** The zone in which times are shown; undefined is that of the browser. For models that write sentences. */
export function shownZone(): string | undefined {
  return zoneOf();
}
