import { now } from '../app/clock.ts';
import { link } from '../app/router.ts';
import { piecesOfHint } from '../model/hint.ts';
import { shownText } from '../model/name.ts';
import { short } from '../model/time.ts';
import { shownZone } from './time.tsx';

/** A message or hint of the API, with links to the screens that do what its calls do. */
export function Hint({ of }: { of: string }) {
  const timeOf = (iso: string) => short(new Date(iso), now.value, shownZone());
  return (
    <>
      {piecesOfHint(shownText(of), timeOf).map((piece) => {
        if (piece.kind === 'link') return <a href={link(piece.to)}>{piece.text}</a>;
        return piece.kind === 'code' ? <code>{piece.text}</code> : piece.text;
      })}
    </>
  );
}
