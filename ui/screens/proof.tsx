import type { ComponentChildren } from 'preact';
import { get } from '../app/api.ts';
import { download } from '../app/download.ts';
import { usePolled } from '../app/poll.ts';
import { at, link } from '../app/router.ts';
import { shownText } from '../model/name.ts';
import { byWords } from '../model/notes.ts';
import { lackWords } from '../model/points.ts';
import {
  type Proof as Document,
  fileNameOf,
  type Verdict,
  verdictOf,
  verdictWords,
  verificationRow,
} from '../model/proof.ts';
import { counted, number } from '../model/quantity.ts';
import { Button } from '../parts/button.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Note } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { when, whenExactly } from '../parts/shown-time.ts';
import { Table } from '../parts/table.tsx';

const TONES: Readonly<Record<Verdict, 'good' | 'warn' | 'bad' | 'quiet'>> = {
  proved: 'good',
  listed: 'quiet',
  'not-proved': 'warn',
  damaged: 'bad',
  altered: 'bad',
};

/** A document for those who have to show that a backup can be relied on: on the screen, on paper, and as a file. */
export function Proof({ id }: { id: string }) {
  const proof = usePolled(`proof ${id}`, (signal) => get('showProof', at`restore-points/${id}/proof`, {}, signal));
  const { data } = proof;
  return (
    <Screen
      title="Proof of a restore point"
      trail={[
        [link('/points'), 'Restore points'],
        [link(at`/points/${id}`), data ? when(data.restorePoint.startedAt) : id],
      ]}
      actions={
        data && (
          <>
            <Button onClick={() => download(JSON.stringify(data, null, 2), fileNameOf(data))}>Download as JSON</Button>
            <Button kind="main" onClick={() => window.print()}>
              Print
            </Button>
          </>
        )
      }
    >
      <Loaded of={proof} lines={12}>
        {(shown) => <Page proof={shown} />}
      </Loaded>
    </Screen>
  );
}

function Page({ proof }: { proof: Document }) {
  const { restorePoint: point, verifications, more, chain } = proof;
  return (
    <article class="document">
      <Note tone={TONES[verdictOf(proof)]}>
        <strong>{verdictWords(proof)}</strong>
      </Note>
      <dl class="facts-list">
        <Fact name="Restore point">
          <code>{point.id}</code>
        </Fact>
        <Fact name="Made">
          {whenExactly(point.startedAt)} {byWords(point.by)}, {point.mode}
        </Fact>
        <Fact name="Holds">
          {counted(point.blobs, 'blob')} in {counted(point.containers, 'container')},{' '}
          {counted(point.entities, 'entity', 'entities')} in {counted(point.tables, 'table')}
          {point.bytes !== null && (
            <>
              , <Bytes of={point.bytes} />
            </>
          )}
        </Fact>
        <Fact name="Lacks">{lackWords(point.lacks) || 'nothing'}</Fact>
        <Fact name="From">
          <code>{point.source}</code>
        </Fact>
        <Fact name="In the vault">
          <code>{point.vault}</code>
        </Fact>
        <Fact name="Hold">
          {point.hold ? point.hold.reason : 'none'}
          {point.removed && '; a prune has marked it for removal'}
        </Fact>
      </dl>
      <Section title="Verifications">
        {verifications.length === 0 ? (
          <p>None.</p>
        ) : (
          <Table caption="Verifications, the newest first" head={['When', 'How', 'Result', 'Started', 'Record']}>
            {verifications.map((each) => {
              const { what, result, by } = verificationRow(each);
              return (
                <tr key={each.run}>
                  <td>{each.finishedAt === null ? 'not known' : whenExactly(each.finishedAt)}</td>
                  <td>{what}</td>
                  <td class={each.isSound ? undefined : 'bad-text'}>{result}</td>
                  <td>{by}</td>
                  <td>
                    {number(each.record.number)}: <code>{each.record.sha256.slice(0, 16)}…</code>
                    {each.summary.isAsRecorded === false && <strong class="bad-text"> not as recorded</strong>}
                  </td>
                </tr>
              );
            })}
          </Table>
        )}
        {more > 0 && <p class="small">{counted(more, 'earlier verification')} on record, not shown.</p>}
      </Section>
      <Section title="Records">
        <dl class="facts-list">
          <Fact name="Summary">
            <code>{proof.summary.path}</code>, {counted(proof.parts, 'part')}
          </Fact>
          <Fact name="Its SHA-256">
            <code>{proof.summary.sha256 ?? 'not known'}</code> {proof.summary.isAsRecorded === true && '(as recorded)'}
            {proof.summary.isAsRecorded === false && <strong class="bad-text">(not as recorded)</strong>}
            {proof.summary.isAsRecorded === null && '(older than the chain, so no record names it)'}
          </Fact>
          {proof.record && (
            <Fact name={`Record ${number(proof.record.number)}`}>
              <code>{proof.record.sha256}</code>
            </Fact>
          )}
          <Fact name="Head of the chain">
            {chain.head ? (
              <>
                {number(chain.head.number)}: <code>{chain.head.sha256}</code>
              </>
            ) : (
              'none'
            )}
          </Fact>
        </dl>
        {chain.problem !== null && <Note tone="bad">{shownText(chain.problem)}</Note>}
        <p class="small">
          Compare the head with one that you kept elsewhere. <code>tools/check-vault</code> checks the whole chain
          without this app.
        </p>
      </Section>
      <p class="small">
        Made on {whenExactly(proof.at)} by Strongroom {proof.version}
      </p>
    </article>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
