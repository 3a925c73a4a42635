import { Random } from '../../test/support/builders/random.ts';
import type { Violation } from '../seeds/played.ts';
import { areIndependent, type Choice, Execution, type Sabotage } from './execution.ts';
import type { Scenario } from './scenario.ts';

export interface Explored {
  /** The number of schedules played, each until it ended or reached a known state. */
  schedules: number;
  /** The number of states with different futures. */
  states: number;
  /** Whether no schedule is left. */
  whole: boolean;
  found?: { violation: Violation; trace: string[] };
}

/** A schedule to play: the choices to take, and those to leave out at its end. */
interface Branch {
  path: number[];
  asleep: readonly Choice[];
}

/**
 * Explores the schedules of a scenario, at most `most` of them in random order: at each moment, every step that may
 * happen next. It does not continue from a state that it has reached on another way, since the same would follow. Of
 * two independent steps it plays one order only, since both lead to the same state
 * (sleep sets).
 */
export async function explore(scenario: Scenario, most: number, sabotage: Sabotage = {}): Promise<Explored> {
  /** The labels left out at each known state. */
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
