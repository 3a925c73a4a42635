import { link } from '../app/router.ts';
import { type CellKind, cellsOf, type Day, stripText } from '../model/strip.ts';

const WIDTH = 8;
const GAP = 2;
const HEIGHT = 22;

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

/** The last 30 days of a job, today on the right: each with a form and a color. Leads to their runs. */
export function Strip({ job, days }: { job: string; days: readonly Day[] }) {
  const cells = cellsOf(days);
  const width = cells.length * (WIDTH + GAP) - GAP;
  return (
    <a class="strip" href={link('/runs', { job })}>
      <span class="unseen">{stripText(days)}</span>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} aria-hidden="true">
        {cells.map(({ kind, text }, index) => (
          <g transform={`translate(${index * (WIDTH + GAP)} 0)`} class={`cell ${kind}`}>
            <title>{text}</title>
            <rect width={WIDTH + GAP} height={HEIGHT} class="reach" />
            <path d={FORMS[kind]} fill-rule="evenodd" />
          </g>
        ))}
      </svg>
    </a>
  );
}
