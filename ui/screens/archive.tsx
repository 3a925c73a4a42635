import { useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { usePages } from '../app/pages.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, go, link, place } from '../app/router.ts';
import {
  archiveContainer,
  groupsOf,
  isLine,
  markOfReceipt,
  type Poison,
  type PoisonGroup,
  poisonWords,
  type Receipt,
  receiptWords,
  triggerWords,
} from '../model/archives.ts';
import { commandOf } from '../model/command.ts';
import { shownText } from '../model/name.ts';
import { byWords } from '../model/notes.ts';
import { counted } from '../model/quantity.ts';
import { Button } from '../parts/button.tsx';
import { CopyCommand } from '../parts/copy.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { More } from '../parts/more.tsx';
import { Name } from '../parts/name.tsx';
import { Empty, ErrorBox, Note } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { ReasonDialog } from '../parts/reason-dialog.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';
import { Reconcile } from './archives.tsx';

const TABS = [
  ['failed', 'Failed permanently'],
  ['settled', 'Settled'],
  ['receipts', 'Receipts'],
] as const;

/** One archive rule: uploads that failed permanently, those that someone has settled, and the receipts of all. */
export function Archive({ rule: name }: { rule: string }) {
  const asked = place.value.query.get('tab');
  const tab = TABS.find(([value]) => value === asked)?.[0] ?? 'failed';
  const rule = usePolled(`archive ${name}`, (signal) => get('getArchive', at`archives/${name}`, {}, signal));
  return (
    <Screen
      title={`Archive rule ${name}`}
      trail={[[link('/archives'), 'Archives']]}
      actions={<Reconcile rule={name} />}
    >
      <Loaded of={rule} lines={3}>
        {(shown) => (
          <p>
            {shown.source.account} / <Name of={shown.source.container} /> → {shown.destination.account} /{' '}
            <Name of={archiveContainer(shown)} />
            <span class="muted">
              {' '}
              by {triggerWords(shown)} · {receiptWords(shown)} · {poisonWords(shown)}
            </span>
          </p>
        )}
      </Loaded>
      <nav class="tabs" aria-label="Of this rule">
        {TABS.map(([value, words]) => (
          <a href={link(at`/archives/${name}`, { tab: value })} aria-current={tab === value ? 'page' : undefined}>
            {words}
          </a>
        ))}
      </nav>
      {tab === 'failed' && <FailedUploads rule={name} />}
      {tab === 'settled' && <SettledUploads rule={name} />}
      {tab === 'receipts' && <Receipts rule={name} />}
    </Screen>
  );
}

/** More than these are not read at once. */
const MOST = 2000;

function FailedUploads({ rule }: { rule: string }) {
  const list = usePolled(`poison ${rule}`, async (signal) => {
    const uploads: Poison[] = [];
    let cursor: string | undefined;
    do {
      const page = await get('listPoison', at`archives/${rule}/poison`, { limit: 500, cursor }, signal);
      uploads.push(...page.uploads);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && uploads.length < MOST);
    return { uploads, isMore: cursor !== undefined };
  });
  const all = useReprocess(rule);
  return (
    <Loaded of={list}>
      {({ uploads, isMore }) =>
        uploads.length === 0 ? (
          <Empty title="No upload failed permanently">
            <p>An upload that fails again and again is listed here, with the reason and what to do.</p>
          </Empty>
        ) : (
          <>
            <div class="heading">
              <p class="muted">
                {isMore ? 'More than ' : ''}
                {counted(uploads.length, 'upload')}
              </p>
              <span class="actions">
                <Button kind="main" onClick={all.begin} isBusy={all.isBusy} why={lacking('run')}>
                  Try all again
                </Button>
                <CopyCommand needs="run" line={commandOf('archive reprocess', [rule])} />
              </span>
            </div>
            {all.error && <ErrorBox error={all.error} />}
            {groupsOf(uploads).map((group) => (
              <Group key={group.code} rule={rule} group={group} again={list.again} />
            ))}
          </>
        )
      }
    </Loaded>
  );
}

function useReprocess(rule: string, id?: string) {
  return useAction(async () => {
    const run = await post('startReprocess', at`archives/${rule}/reprocess`, id === undefined ? {} : { id });
    go(link(at`/runs/${run.id}`));
  });
}

interface GroupProps {
  rule: string;
  group: PoisonGroup;
  again: () => void;
}

function Group({ rule, group: { code, hint, uploads }, again }: GroupProps) {
  const [most, setMost] = useState(20);
  return (
    <section class="card">
      <h2>
        <code>{code}</code> <span class="muted">· {counted(uploads.length, 'upload')}</span>
      </h2>
      <p>
        <Hint of={hint} />
      </p>
      <ul class="uploads">
        {uploads.slice(0, most).map((upload) => (
          <Upload key={upload.id} rule={rule} upload={upload} again={again} />
        ))}
      </ul>
      {uploads.length > most && (
        <p>
          <Button kind="quiet" onClick={() => setMost(most + 200)}>
            Show more
          </Button>
        </p>
      )}
    </section>
  );
}

interface UploadProps {
  rule: string;
  upload: Poison;
  again: () => void;
}

function Upload({ rule, upload: { id, container, name, since, times, message }, again }: UploadProps) {
  const [isSettling, setSettling] = useState(false);
  const { isBusy, error, begin } = useReprocess(rule, id);
  return (
    <li>
      <div class="heading">
        <span>
          <span class="muted">{container} / </span>
          <Name of={name} />
        </span>
        <span class="actions">
          {lacking('run') === undefined && (
            <>
              <Button kind="quiet" onClick={begin} isBusy={isBusy}>
                Try again
              </Button>
              <CopyCommand needs="run" line={commandOf('archive reprocess', [rule], [['id', id]])} />
            </>
          )}
          {lacking('protect') === undefined && (
            <Button kind="quiet" onClick={() => setSettling(true)}>
              Settle …
            </Button>
          )}
        </span>
      </div>
      <p class="small">
        {counted(times, 'time')}, first <Ago time={since} />. The service said: {shownText(message)}
      </p>
      {error && <ErrorBox error={error} />}
      {isSettling && <Settle rule={rule} id={id} name={name} onDone={again} onClose={() => setSettling(false)} />}
    </li>
  );
}

interface SettleProps {
  rule: string;
  id: string;
  name: string;
  onDone: () => void;
  onClose: () => void;
}

/** For what is never going to be archived: it leaves the list, with who decided it and why. */
function Settle({ rule, id, name, onDone, onClose }: SettleProps) {
  return (
    <ReasonDialog
      title="Settle this upload"
      action="Settle it"
      isDanger
      hint="Its receipt and the list of settled uploads show it."
      run={async (reason) => {
        await post('settlePoison', at`archives/${rule}/poison/${id}/settle`, { reason });
        onDone();
      }}
      onClose={onClose}
    >
      <p>
        <Name of={name} /> is not archived, and no reconciliation tries it again. Its receipt keeps the reason.
      </p>
    </ReasonDialog>
  );
}

/** What someone has decided not to archive, with who and why. */
function SettledUploads({ rule }: { rule: string }) {
  const list = usePages(`settled ${rule}`, (cursor, signal) =>
    get('listPoison', at`archives/${rule}/poison`, { state: 'settled', limit: 100, cursor }, signal),
  );
  return (
    <Loaded of={list}>
      {(pages) => {
        const uploads = pages.flatMap((page) => page.uploads);
        return uploads.length === 0 && !list.isMore ? (
          <Empty title="No upload is settled">
            <p>What never needs an archive can be settled with a reason. Then it is listed here.</p>
          </Empty>
        ) : (
          <>
            <Table caption="Settled uploads" head={['Upload', 'Failed as', 'Settled', 'Why']}>
              {uploads.map(({ id, name, code, settledAt, settlement }) => (
                <tr key={id}>
                  <th scope="row">
                    <a data-row href={link(at`/archives/${rule}`, { tab: 'receipts', name })}>
                      <Name of={name} />
                    </a>
                  </th>
                  <td>
                    <code>{code}</code>
                  </td>
                  <td>
                    {settledAt !== null && <At time={settledAt} />}
                    <div class="small">{settlement && byWords(settlement.by)}</div>
                  </td>
                  <td>{settlement?.reason ?? '–'}</td>
                </tr>
              ))}
            </Table>
            <More of={list} />
          </>
        );
      }}
    </Loaded>
  );
}

function Receipts({ rule }: { rule: string }) {
  const { query } = place.value;
  const [prefix, name] = [query.get('prefix') ?? '', query.get('name') ?? ''];
  const list = usePages(`receipts ${rule} ${prefix}`, (cursor, signal) =>
    get('listReceipts', at`archives/${rule}/receipts`, { prefix, limit: 200, cursor }, signal),
  );
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label class="field grow">
          <span>Names that begin with</span>
          <input
            type="search"
            defaultValue={prefix}
            autocomplete="off"
            spellcheck={false}
            onChange={(event) => change({ prefix: event.currentTarget.value, name: undefined })}
          />
        </label>
      </form>
      {name !== '' && <Whole rule={rule} name={name} />}
      <Loaded of={list}>
        {(pages) => {
          const lines = pages.flatMap(({ receipts }) => receipts.filter(isLine));
          return lines.length === 0 && !list.isMore ? (
            <Empty
              title={prefix === '' ? 'No upload was archived yet' : 'No receipt of a name that begins with this'}
            />
          ) : (
            <>
              <Table caption="Receipts" head={['Upload', 'State', 'When', 'Uploaded']}>
                {lines.map((line) => (
                  <tr key={`${line.name} ${line.etag}`}>
                    <th scope="row">
                      <a data-row href={link(at`/archives/${rule}`, { tab: 'receipts', prefix, name: line.name })}>
                        <Name of={line.name} />
                      </a>
                    </th>
                    <td>
                      <Mark mark={markOfReceipt(line.state)} />
                    </td>
                    <td>
                      <At time={line.at} />
                    </td>
                    <td>
                      <At time={line.modified} />
                    </td>
                  </tr>
                ))}
              </Table>
              <More of={list} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

/** Every receipt of one name, in full: one for each version that was uploaded. */
function Whole({ rule, name }: { rule: string; name: string }) {
  const found = usePolled(`receipt ${rule} ${name}`, async (signal) => {
    const { receipts } = await get('listReceipts', at`archives/${rule}/receipts`, { name }, signal);
    return receipts.filter((receipt): receipt is Receipt => !isLine(receipt));
  });
  return (
    <section class="card" aria-label="Receipts of one name">
      <div class="heading">
        <h2>
          <Name of={name} />
        </h2>
        <Button kind="quiet" onClick={() => change({ name: undefined })}>
          Close
        </Button>
      </div>
      <Loaded of={found} lines={3}>
        {(receipts) =>
          receipts.length === 0 ? (
            <p class="muted">No receipt of this name.</p>
          ) : (
            receipts.map((receipt) => <OneReceipt key={receipt.source.etag} receipt={receipt} />)
          )
        }
      </Loaded>
    </section>
  );
}

function OneReceipt({
  receipt: { source, state, tries, archived, problem, settlement, finishedAt, seconds },
}: {
  receipt: Receipt;
}) {
  return (
    <div class="receipt">
      <p class="marks">
        <Mark mark={markOfReceipt(state)} />
        <span>
          <Bytes of={source.size} />, uploaded <At time={source.modified} />
          {finishedAt !== undefined && (
            <>
              , ended <At time={finishedAt} />
            </>
          )}
          {seconds !== undefined && ` after ${seconds} s`}
          {tries > 1 && `, ${counted(tries, 'attempt')}`}
        </span>
      </p>
      <p class="small">
        ETag <code>{source.etag}</code>
      </p>
      {archived && (
        <p>
          In the vault: <Name of={archived.container} /> / <Name of={archived.name} />{' '}
          <span class="muted">
            {archived.method}
            {archived.lacks !== undefined && `, lacks: ${archived.lacks}`}
          </span>
        </p>
      )}
      {settlement && (
        <p>
          Settled {byWords(settlement.by)} on <At time={settlement.at} />: “{settlement.reason}”
        </p>
      )}
      {problem && (
        <Note tone="warn">
          {problem.message && shownText(problem.message)} <code>{problem.code}</code>
        </Note>
      )}
    </div>
  );
}
