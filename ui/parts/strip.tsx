import { useRef, useState } from 'preact/hooks';
import { link } from '../app/router.ts';
import { type CellKind, cellsOf, type Day, stripText } from '../model/strip.ts';

/** A form for each, beside its color. */
const FORMS: Readonly<Record<CellKind, string>> = {
  good: 'M0 0h8v22H0z',
  incomplete: 'M0 0h8v22H0zM2 2v8h4V2z',
  failed: 'M0 0h8v22H0zM1.6 6.4 3 11 1.6 15.6h1.6L4 12.6l.8 3h1.6L5 11l1.4-4.6H4.8L4 9.4l-.8-3z',
  cancelled: 'M0 7h8v8H0z',
  running: 'M0 14h8v8H0z',
  missed: 'M0 0h8v22H0zM1.4 1.4v19.2h5.2V1.4z',
  none: 'M2.8 18h2.4v2.4H2.8z',
  unknown: 'M0 10h8v2H0z',
};

/** What each key does to the day that has the focus. */
const MOVES: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/**
 * The last 30 days of a job, today on the right: each with a form and a color, and a link to its runs. One stop for the
 * tab key; the arrow keys go from day to day.
 */
export function Strip({ job, days }: { job: string; days: readonly Day[] }) {
  const list = useRef<HTMLUListElement>(null);
  const last = days.length - 1;
  const [chosen, setChosen] = useState(last);
  const at = Math.min(chosen, last);
  const move = (event: KeyboardEvent) => {
    const to = MOVES[event.key]?.(at, last);
    if (to === undefined) return;
    event.preventDefault();
    list.current?.querySelectorAll('a')[Math.max(0, Math.min(last, to))]?.focus();
  };
  return (
    <ul ref={list} class="strip" aria-label={`${job}: ${stripText(days)}`} onKeyDown={move}>
      {cellsOf(days).map(({ kind, text }, index) => (
        <li key={days[index]!.day}>
          <a
            href={link('/runs', { job, day: days[index]!.day })}
            tabIndex={index === at ? 0 : -1}
            class={`cell ${kind}`}
            onFocus={() => setChosen(index)}
          >
            <span class="tip">{text}</span>
            <svg viewBox="0 0 8 22" preserveAspectRatio="none" aria-hidden="true">
              <path d={FORMS[kind]} fill-rule="evenodd" />
            </svg>
          </a>
        </li>
      ))}
    </ul>
  );
}
