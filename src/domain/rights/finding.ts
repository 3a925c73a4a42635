import type { ProblemCode } from '../run/problems.ts';

/** Where there is nothing that could be asked about, such as a blob. */
export const NOTHING = 'nothing-to-ask';

/** What a request about a right has shown. `detail` is the error code of the service, or ''. */
export type Finding =
  | { is: 'granted' }
  | { is: 'refused'; code: ProblemCode; detail: string }
  /** The setting of the account that it is about is off. */
  | { is: 'off' }
  | {
      is: 'unknown';
      code: ProblemCode | typeof NOTHING;
      detail: string;
      /** The containers or tables that are not there, if that is why. Nothing is said of the others. */
      places?: readonly string[];
    };

const WEIGHT: Record<Finding['is'], number> = { granted: 1, unknown: 2, off: 3, refused: 4 };

/** That one place has nothing to ask about says nothing of the others. */
function weightOf(finding: Finding): number {
  if (finding.is === 'unknown' && finding.code === NOTHING) return 0;
  // What is true of all places counts for more.
  return WEIGHT[finding.is] - (placesOf(finding) ? 0.5 : 0);
}

/** The finding that counts if a right has been asked about several times, such as once for each container. */
export function worse(one: Finding | undefined, other: Finding): Finding {
  const [places, more] = [placesOf(one), placesOf(other)];
  if (places && more) return { ...other, places: [...new Set([...places, ...more])] } as Finding;
  return one !== undefined && weightOf(one) >= weightOf(other) ? one : other;
}

export function placesOf(finding: Finding | undefined): readonly string[] | undefined {
  return finding?.is === 'unknown' ? finding.places : undefined;
}
