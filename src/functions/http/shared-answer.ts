/**
 * Asks at most once in `milliseconds`, however many callers there are: those who come meanwhile get the same answer. A
 * failure is for those who wait for it, and the next caller asks again.
 */
export function sharedAnswer<Given extends unknown[], Answer>(
  milliseconds: number,
  now: () => Date,
  ask: (...given: Given) => Promise<Answer>,
): (...given: Given) => Promise<Answer> {
  let last: { until: number; answer: Promise<Answer> } | undefined;
  return (...given) => {
    if (last && now().getTime() < last.until) return last.answer;
    const asked = { until: Number.POSITIVE_INFINITY, answer: ask(...given) };
    last = asked;
    asked.answer.then(
      () => {
        asked.until = now().getTime() + milliseconds;
      },
      () => {
        asked.until = 0;
      },
    );
    return asked.answer;
  };
}
