import { Screen } from '../parts/screen.tsx';

export function Runs() {
  return <Screen title="Runs">…</Screen>;
}
