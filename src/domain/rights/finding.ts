import type { ProblemCode } from '../run/problems.ts';

/** Where there is nothing that could be asked about, such as a blob. */
export const NOTHING = 'nothing-to-ask';

/** What a request about a right has shown. `detail` is the error code of the service, or ''. */
export type Finding =
  | { is: 'granted' }
  | { is: 'refused'; code: ProblemCode; detail: string }
  /** The setting of the account that it is about is off. */
  | { is: 'off' }
  | { is: 'unknown'; code: ProblemCode | typeof NOTHING; detail: string };

const WEIGHT: Record<Finding['is'], number> = { granted: 1, unknown: 2, off: 3, refused: 4 };

/** That one place has nothing to ask about says nothing of the others. */
function weightOf(finding: Finding): number {
  return finding.is === 'unknown' && finding.code === NOTHING ? 0 : WEIGHT[finding.is];
}

/** The finding that counts if a right has been asked about several times, such as once for each container. */
export function worse(one: Finding | undefined, other: Finding): Finding {
  return one !== undefined && weightOf(one) >= weightOf(other) ? one : other;
}
