/** A target of Strongroom, and its measurement. */
export interface Target {
  what: string;
  atMost: number;
  measured: number | undefined;
  unit: string;
}

export function isMet({ atMost, measured }: Target): boolean | undefined {
  return measured === undefined ? undefined : measured <= atMost;
}

export function showTarget(target: Target): string {
  const { what, atMost, measured, unit } = target;
  const met = isMet(target);
  const verdict = met === undefined ? '  n/a' : met ? ' pass' : ' MISS';
  return `  ${verdict}  ${what}: ${measured === undefined ? 'not measured here' : round(measured)} ${unit} (at most ${round(atMost)})\n`;
}

function round(value: number): string {
  return Number(value.toPrecision(value < 10 ? 3 : 6)).toLocaleString('en-US');
}
