import { now } from '../app/clock.ts';
import { exact, short } from '../model/time.ts';
import { shownZone } from './time.tsx';

/** A time in a sentence, as the reader has chosen to see times: `Sun 29 Nov, 23:30`. */
export function when(time: string): string {
  return short(new Date(time), now.peek(), shownZone());
}

/** For documents, which are read later and elsewhere: with the year, the second and the zone. */
export function whenExactly(time: string): string {
  return exact(new Date(time), shownZone());
}
