import { get } from '../app/api.ts';
import { usePages } from '../app/pages.ts';
import { at } from '../app/router.ts';
import { Loaded } from './loaded.tsx';
import { More } from './more.tsx';
import { Name } from './name.tsx';

/** The names that a problem of a run is about, a page at a time. */
export function Outcomes({ run, problem, container }: { run: string; problem: string; container: string | undefined }) {
  const list = usePages(`outcomes ${run} ${problem} ${container}`, (cursor, signal) =>
    get('listOutcomes', at`runs/${run}/outcomes`, { problem, container, limit: 100, cursor }, signal),
  );
  return (
    <Loaded of={list} lines={3}>
      {(pages) => {
        const items = pages.flatMap((page) => page.items);
        return items.length === 0 && !list.isMore ? (
          <p class="muted">It concerns whole containers, and has no names.</p>
        ) : (
          <>
            <ul class="names">
              {items.map((item) => (
                <li>
                  <Name of={`${item.container} / ${item.name}`} />
                </li>
              ))}
            </ul>
            <More of={list} kind="quiet">
              Show more names
            </More>
          </>
        );
      }}
    </Loaded>
  );
}
