import { Screen } from '../parts/screen.tsx';

export function Wizard() {
  return <Screen title="Wizard">…</Screen>;
}
