import type { ConditionName, Severity } from './conditions.ts';
import type { RunEndName } from './run-end.ts';

/** How severe conditions and ends of runs are, where that differs from the default. */
export type Severities = Readonly<Partial<Record<ConditionName | RunEndName, Severity>>>;

/** With their severities as the configuration has them. */
export function rated<Found extends { condition: ConditionName | RunEndName; severity: Severity }>(
  found: readonly Found[],
  severities: Severities,
): Found[] {
  return found.map((each) => ({ ...each, severity: severities[each.condition] ?? each.severity }));
}
