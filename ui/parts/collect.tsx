import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { basket } from '../app/basket.ts';
import { type Chosen, leftWords, withChosen, withoutChosen } from '../model/basket.ts';
import { shownName } from '../model/name.ts';
import { Note } from './problem.tsx';

type Place = Pick<Chosen, 'point' | 'job' | 'container'>;

const notAdded = signal('');

/** Why the last name was not added. */
export function NotAdded() {
  useEffect(
    () => () => {
      notAdded.value = '';
    },
    [],
  );
  return notAdded.value === '' ? null : <Note tone="warn">{notAdded.value}</Note>;
}

export function collect(place: Place, blobs: readonly { name: string; size: number }[]): void {
  const { basket: changed, left } = withChosen(basket.value, place, blobs);
  basket.value = changed;
  notAdded.value = left === 0 ? '' : leftWords(left);
}

interface CollectProps {
  place: Place;
  blob: { name: string; size: number };
  isChosen: boolean;
  /** What stands beside it; in lists, the row says enough. */
  label?: string;
}

/** Puts a blob into the basket, or takes it out. */
export function Collect({ place, blob, isChosen, label }: CollectProps) {
  return (
    <label class={label === undefined ? 'collect' : 'choice'}>
      <input
        type="checkbox"
        checked={isChosen}
        onChange={(event) => {
          if (isChosen) basket.value = withoutChosen(basket.value, place, [blob.name]);
          else collect(place, [blob]);
          event.currentTarget.checked = basket.value.some(
            ({ point, container, blobs }) =>
              point.id === place.point.id &&
              container === place.container &&
              blobs.some(({ name }) => name === blob.name),
          );
        }}
      />
      {label === undefined ? <span class="unseen">Collect {shownName(blob.name)}</span> : label}
    </label>
  );
}
