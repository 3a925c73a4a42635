import type { PartOptions, PartResult } from '../part.ts';
import { BUGS } from '../planted/bugs.ts';
import { nameOf, Workshop } from '../planted/workshop.ts';

const AT_ONCE = 2;

/** Plants one bug after another, and checks that its detector notices. */
export async function provePlanted({ progress }: PartOptions): Promise<PartResult> {
  const violations: string[] = [];
  const notes: string[] = [];
  const detectors = new Map(BUGS.map(({ detector }) => [nameOf(detector), detector]));
  const unsound = new Set<string>();
  let caught = 0;
  const workshops = Array.from({ length: AT_ONCE }, () => new Workshop());
  try {
    // A detector that fails on sound code proves nothing.
    await forEach(workshops, [...detectors], async (workshop, [name, detector]) => {
      const { noticed, said } = await workshop.ask(detector);
      if (!noticed && said === '') return;
      unsound.add(name);
      violations.push(`${name} fails on the unchanged code: ${said}`);
    });
    await forEach(workshops, BUGS, async (workshop, bug) => {
      const by = nameOf(bug.detector);
      const { noticed, said } = unsound.has(by)
        ? { noticed: false, said: 'it fails without the bug' }
        : await workshop.try(bug);
      const line = `${bug.words}: ${noticed ? 'caught' : 'NOT CAUGHT'} by ${by}${said && ` (${said})`}`;
      progress(line);
      notes.push(line);
      if (noticed) caught++;
      else violations.push(`a program that ${line}`);
    });
  } finally {
    for (const workshop of workshops) workshop.end();
  }
  return {
    title: 'Bugs planted in the code, each of which must be caught',
    figures: [{ name: 'planted bugs caught', value: caught, target: BUGS.length }],
    violations,
    notes,
  };
}

/** Each workshop takes the next item when it is free. */
async function forEach<Item>(
  workshops: Workshop[],
  items: Item[],
  work: (workshop: Workshop, item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    workshops.map(async (workshop) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(workshop, item);
    }),
  );
}
