import type { ComponentChildren } from 'preact';
import type { Mark as Meaning } from '../model/mark.ts';
import {
  type ApiPoint,
  type ApiProof,
  lackWords,
  marksOf,
  type Mark as PointMark,
  proofBrief,
  proofState,
  wholenessOf,
} from '../model/points.ts';
import { Mark } from './mark.tsx';
import { Ago } from './time.tsx';

const OF_MARKS: Readonly<Record<PointMark, Meaning>> = {
  held: { tone: 'quiet', shape: 'pause', word: 'on hold' },
  brake: { tone: 'bad', shape: 'square', word: 'safety brake' },
  marked: { tone: 'warn', shape: 'dash', word: 'marked for removal' },
  emptied: { tone: 'bad', shape: 'dash', word: 'being deleted' },
};

const OF_PROOFS = {
  sound: { tone: 'good', shape: 'check' },
  listed: { tone: 'quiet', shape: 'half' },
  damaged: { tone: 'bad', shape: 'cross' },
} as const;

/** Whether it holds everything that its run listed. */
export function Wholeness({ point }: { point: Pick<ApiPoint, 'lacks' | 'problem'> }) {
  const state = wholenessOf(point);
  if (state === 'whole') return <Mark mark={{ tone: 'good', shape: 'check', word: 'whole' }} />;
  if (state === 'damaged') return <Mark mark={{ tone: 'bad', shape: 'question', word: 'summary damaged' }} />;
  return <Mark mark={{ tone: 'warn', shape: 'half', word: `lacks ${lackWords(point.lacks!)}` }} />;
}

export function Marks({ point }: { point: Pick<ApiPoint, 'hold' | 'brake' | 'removed'> }) {
  return (
    <>
      {marksOf(point).map((each) => (
        <Mark key={each} mark={OF_MARKS[each]} />
      ))}
    </>
  );
}

/** The last verification, and when. */
export function LastProof({ proof }: { proof: ApiPoint['verified'] }) {
  if (proof === null) return <span class="muted">not verified</span>;
  return (
    <ProofMark proof={proof}>
      {proofBrief(proof)} · <Ago time={proof.at} />
    </ProofMark>
  );
}

/** What a verification shows, before the words for it. */
export function ProofMark({ proof, children }: { proof: ApiProof; children: ComponentChildren }) {
  return <Mark mark={{ ...OF_PROOFS[proofState(proof)], word: '' }}>{children}</Mark>;
}
