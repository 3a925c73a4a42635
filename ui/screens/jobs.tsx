import { Screen } from '../parts/screen.tsx';

export function Jobs() {
  return <Screen title="Jobs">…</Screen>;
}
