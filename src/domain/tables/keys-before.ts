/** After every common character of keys, and before those of two code units. */
const BEHIND = '\ud7ff';

/**
 * Texts before this one in the order of the service, the closest first. A query for exactly one key needs them, because
 * queries take only two bounds. A guess that is too close in the order of the service does no harm if the wider one
 * after it is tried as well. None for the empty text, which comes first.
 */
export function keysBefore(key: string): string[] {
  const last = [...key].at(-1);
  if (last === undefined) return [];
  const head = key.slice(0, -last.length);
  if (last.length > 1) return [head + BEHIND, head];
  let code = last.charCodeAt(0) - 1;
  while (code >= SPACE && isRefused(code)) code--;
  return code < SPACE ? [head] : [head + String.fromCharCode(code) + BEHIND, head];
}

const SPACE = 0x20;

/** Whether keys cannot have this character. Some services even refuse it in a comparison. */
function isRefused(code: number): boolean {
  return (
    '/\\#?'.includes(String.fromCharCode(code)) || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000)
  );
}
