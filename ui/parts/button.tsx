import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface ButtonProps {
  onClick?: (() => void) | undefined;
  /** Of the form around it. */
  submits?: boolean;
  /** `main`: what most readers came for. `danger`: deletes or replaces something. */
  kind?: 'plain' | 'main' | 'danger' | 'quiet';
  /** Why it cannot be used now: shown beside it. The button stays where it is. */
  why?: string | undefined;
  /** The same reason stands beside a button next to it: it is read out, and not shown again. */
  isWhyNear?: boolean;
  /** What it has begun is not done yet. */
  isBusy?: boolean;
  label?: string;
  children: ComponentChildren;
}

/** A verb with its object. One that cannot be used says why, for everyone, not only on hover. */
export function Button({
  onClick,
  submits = false,
  kind = 'plain',
  why,
  isWhyNear = false,
  isBusy = false,
  label,
  children,
}: ButtonProps) {
  const id = useId();
  const isOff = why !== undefined || isBusy;
  return (
    <span class="act">
      <button
        type={submits ? 'submit' : 'button'}
        class={`button ${kind}`}
        aria-disabled={isOff ? 'true' : undefined}
        aria-describedby={why === undefined ? undefined : id}
        aria-label={label}
        aria-busy={isBusy ? 'true' : undefined}
        onClick={(event) => {
          if (isOff) event.preventDefault();
          else onClick?.();
        }}
      >
        {children}
      </button>
      {why !== undefined && (
        <span id={id} class={isWhyNear ? 'unseen' : 'why'}>
          {why}
        </span>
      )}
    </span>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  to,
  kind = 'plain',
  children,
}: {
  to: string;
  kind?: 'plain' | 'main';
  children: ComponentChildren;
}) {
  return (
    <a class={`button ${kind}`} href={to}>
      {children}
    </a>
  );
}
