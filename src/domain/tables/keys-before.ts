/** Behind every character that keys are commonly made of, and before those that take two code units. */
const BEHIND = '\ud7ff';

/**
 * Texts that come before this one in the order of the service, the closest first: to ask for one key alone, where all that can be
 * asked for is what lies between two. A guess that is too close in the service's own order does no harm, as long as the wider one
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

/** Whether keys may not have this character; some services do not even take it in what a key is compared with. */
function isRefused(code: number): boolean {
  return (
    '/\\#?'.includes(String.fromCharCode(code)) || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000)
  );
}
