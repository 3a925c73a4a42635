/** Returns the date of a time in a zone, as `2026-11-20`. */
export function localDates(timeZone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (time) => {
    const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
    return `${part.year!.padStart(4, '0')}-${part.month}-${part.day}`;
  };
}
