import type { ComponentChildren } from 'preact';

interface TableProps {
  /** What the table shows, for those who do not see it. */
  caption: string;
  /** A heading that begins with `#` is of a column of numbers. */
  head: readonly string[];
  children: ComponentChildren;
}

/** A table that scrolls sideways by itself where it is too wide. */
export function Table({ caption, head, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {head.map((text) => (
              <th scope="col" class={text.startsWith('#') ? 'number' : undefined}>
                {text.replace(/^#/, '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
