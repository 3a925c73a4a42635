import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { who } from '../app/caller.ts';
import { visits } from '../app/router.ts';

interface ScreenProps {
  /** The heading of the screen, and the title of the tab unless `tab` is given. */
  title: string;
  tab?: string | undefined;
  /** What leads back: `[['/points', 'Restore points']]`. */
  trail?: readonly (readonly [address: string, text: string])[];
  /** Beside the heading: buttons. */
  actions?: ComponentChildren;
  /** Instead of the plain title as heading. */
  heading?: ComponentChildren;
  children?: ComponentChildren;
}

/** A screen: its heading has the focus when the reader comes from another one. */
export function Screen({ title, tab, trail = [], actions, heading, children }: ScreenProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  const visit = visits.value;
  const { instance = null } = who.value ?? {};
  useEffect(() => {
    document.title = `${tab ?? title} · ${instance ?? 'Strongroom'}`;
  }, [title, tab, instance]);
  useEffect(() => {
    if (visit > 0) ref.current?.focus({ preventScroll: true });
  }, [visit]);
  return (
    <main id="main" class="screen">
      {trail.length > 0 && (
        <nav aria-label="Where this is" class="trail">
          {trail.map(([address, text]) => (
            <a href={address}>{text}</a>
          ))}
        </nav>
      )}
      <div class="heading">
        <h1 ref={ref} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </main>
  );
}

/** A part of a screen with a heading of its own. */
export function Section({
  title,
  children,
  actions,
}: {
  title: string;
  children: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <section class="section">
      <div class="heading">
        <h2>{title}</h2>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
