import { piecesOf } from '../model/name.ts';

/** A name that anyone may have chosen, as of a blob or an entity. It is text, and what is invisible is shown. */
export function Name({ of }: { of: string }) {
  return (
    <bdi class="name" dir="ltr">
      {piecesOf(of).map(({ text, isEscape }) => (isEscape ? <span class="escape">{text}</span> : text))}
    </bdi>
  );
}
