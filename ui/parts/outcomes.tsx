import { useEffect, useState } from 'preact/hooks';
import { CallError, get } from '../app/api.ts';
import { at } from '../app/router.ts';
import type { Answer, ApiError } from '../model/answer.ts';
import { Button } from './button.tsx';
import { Waiting } from './loaded.tsx';
import { Name } from './name.tsx';
import { ErrorBox } from './problem.tsx';

type Item = Answer<'listOutcomes'>['items'][number];

/** The names that a problem of a run is about, a page at a time. */
export function Outcomes({ run, problem, container }: { run: string; problem: string; container: string | undefined }) {
  const [items, setItems] = useState<Item[]>([]);
  const [cursor, setCursor] = useState<string | null | undefined>(undefined);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const more = async (after: string | undefined) => {
    setBusy(true);
    try {
      const query = { problem, container, limit: 100, cursor: after };
      const page = await get('listOutcomes', at`runs/${run}/outcomes`, query);
      setItems((before) => [...before, ...page.items]);
      setCursor(page.next);
    } catch (failure) {
      if (!(failure instanceof CallError)) throw failure;
      setError(failure.problem);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    void more(undefined);
  }, []);
  if (error) return <ErrorBox error={error} />;
  if (cursor === undefined) return <Waiting lines={3} />;
  return (
    <>
      <ul class="names">
        {items.map((item) => (
          <li>
            <Name of={nameOf(item)} />
          </li>
        ))}
      </ul>
      {items.length === 0 && cursor === null && <p class="muted">It concerns whole containers, and has no names.</p>}
      {cursor !== null && (
        <Button kind="quiet" isBusy={isBusy} onClick={() => void more(cursor)}>
          Show more names
        </Button>
      )}
    </>
  );
}

function nameOf(item: Item): string {
  return `${item.container} / ${item.name}`;
}
