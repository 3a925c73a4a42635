import type { Paged } from '../app/paged.ts';
import { Button } from './button.tsx';
import { ErrorBox } from './problem.tsx';

/** Below a list that has more pages: loads the next one. */
export function More({ of: { isMore, isBusy, moreError, more } }: { of: Paged<unknown> }) {
  if (!isMore) return null;
  return (
    <>
      {moreError && <ErrorBox error={moreError} />}
      <p>
        <Button isBusy={isBusy} onClick={more}>
          Load more
        </Button>
      </p>
    </>
  );
}
