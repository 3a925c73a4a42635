import { Screen } from '../parts/screen.tsx';

export function Job() {
  return <Screen title="Job">…</Screen>;
}
