const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * When a daily schedule occurs by the wall clock of a zone, from its definition: the first moment of each day at which
 * the clock shows the time, or, if it never does, the end of the gap. Begins with the last day of the year before.
 */
export function wantedTimes(zone: string, [hour, minute, second]: [number, number, number], year: number): number[] {
  const clock = wallClock(zone);
  const times: number[] = [];
  for (let day = Date.UTC(year, 0, 0); day < Date.UTC(year + 1, 0, 1); day += DAY) {
    const wall = day + (hour * 60 + minute) * MINUTE + second * 1000;
    const guesses = [wall - DAY, wall + DAY].map((near) => wall - (clock(near) - near));
    const shown = guesses.filter((guess) => clock(guess) === wall);
    times.push(shown.length > 0 ? Math.min(...shown) : endOfGap(clock, wall, Math.min(...guesses) - DAY / 2));
  }
  return times;
}

/** The first moment after `from` at which the clock shows `wall` or later. */
function endOfGap(clock: (time: number) => number, wall: number, from: number): number {
  let before = from;
  let after = from + DAY;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (clock(middle) < wall) before = middle;
    else after = middle;
  }
  return after;
}

/** What the clock shows at a time, as if it were UTC. */
function wallClock(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (time) => {
    const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second);
  };
}
