import { useAction } from '../app/action.ts';
import type { Paged } from '../app/pages.ts';
import { Button } from './button.tsx';
import { ErrorBox } from './problem.tsx';

interface MoreProps {
  of: Pick<Paged<unknown>, 'isMore' | 'more'>;
  kind?: 'plain' | 'quiet';
  children?: string;
}

/** The next page of a list. What is shown stays, also if there is no answer. */
export function More({ of: { isMore, more }, kind = 'plain', children = 'Load more' }: MoreProps) {
  const { isBusy, error, begin } = useAction(more);
  if (!isMore) return null;
  return (
    <>
      {error && <ErrorBox error={error} />}
      <div class="actions">
        <Button kind={kind} isBusy={isBusy} onClick={begin}>
          {children}
        </Button>
      </div>
    </>
  );
}
