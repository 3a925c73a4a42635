import { Random } from '../../test/support/builders/random.ts';
import type { Violation } from '../seeds/played.ts';
import { areIndependent, type Choice, Execution, type Sabotage } from './execution.ts';
import type { Scenario } from './scenario.ts';

export interface Explored {
  /** Schedules that were played, each from its beginning until it came to its end or to where another had been. */
  schedules: number;
  /** Moments that differ in something that matters for what comes after. */
  states: number;
  /** Whether that was all there is. */
  whole: boolean;
  found?: { violation: Violation; trace: string[] };
}

/** A schedule to be played: which of the choices to take, and which not to take where it leads to. */
interface Branch {
  path: number[];
  asleep: readonly Choice[];
}

/**
 * Goes through every schedule of a scenario, `most` of them where there are more, picked by chance: at each moment everything that
 * may happen next. Two things are left out: a moment that has been met by another way is not gone on from again, since the same would follow;
 * and of two things that have nothing to do with each other only one order is played, since both lead to the same moment
 * (sleep sets).
 */
export async function explore(scenario: Scenario, most: number, sabotage: Sabotage = {}): Promise<Explored> {
  /** What was left out at each moment that has been met, by labels. */
  const met = new Map<string, Set<string>>();
  const open: Branch[] = [{ path: [], asleep: [] }];
  const random = new Random(1);
  let schedules = 0;
  while (open.length > 0) {
    if (schedules >= most) return { schedules, states: met.size, whole: false };
    schedules++;
    const { path, asleep } = random.take(open, 1)[0]!;
    const execution = new Execution(scenario, sabotage);
    await execution.begin();
    for (const index of path) await execution.take(execution.choices()[index]!);
    let sleeping = asleep;
    for (;;) {
      const [violation] = execution.witness.violations;
      if (violation) {
        return { schedules, states: met.size, whole: false, found: { violation, trace: execution.trace } };
      }
      const choices = execution.choices();
      const key = execution.key();
      const before = met.get(key);
      const labels = new Set(sleeping.map(({ label }) => label));
      const isOpen = ({ label }: Choice) => !labels.has(label) && (before === undefined || before.has(label));
      met.set(key, before ? new Set([...before].filter((label) => labels.has(label))) : labels);
      const wanted = choices.filter(isOpen);
      if (wanted.length === 0) break;
      const branches = wanted.map((choice, index): Branch => {
        const others = [...sleeping, ...wanted.slice(0, index)];
        return {
          path: [...path, choices.indexOf(choice)],
          asleep: others.filter((other) => areIndependent(other, choice)),
        };
      });
      open.push(...branches.slice(1));
      path.push(branches[0]!.path.at(-1)!);
      sleeping = branches[0]!.asleep;
      await execution.take(wanted[0]!);
    }
  }
  return { schedules, states: met.size, whole: true };
}
