import { Screen } from '../parts/screen.tsx';

export function Run() {
  return <Screen title="Run">…</Screen>;
}
