import { Screen } from '../parts/screen.tsx';

export function Setup() {
  return <Screen title="Setup">…</Screen>;
}
