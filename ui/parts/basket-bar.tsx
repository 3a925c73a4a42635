import { basket } from '../app/basket.ts';
import { link } from '../app/router.ts';
import { basketWords } from '../model/basket.ts';
import { Button, ButtonLink } from './button.tsx';

/** What has been collected, wherever one collects: it stays at the bottom of the window. */
export function BasketBar() {
  if (basket.value.length === 0) return null;
  return (
    <aside class="basket-bar" aria-label="Collected to restore">
      <span>{basketWords(basket.value)}</span>
      <span class="actions">
        <Button kind="quiet" onClick={() => (basket.value = [])}>
          Empty
        </Button>
        <ButtonLink kind="main" to={link('/restore', {})}>
          Restore these
        </ButtonLink>
      </span>
    </aside>
  );
}
