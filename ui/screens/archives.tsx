import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import { archiveContainer, poisonWords, receiptWords, triggerWords } from '../model/archives.ts';
import { commandOf } from '../model/command.ts';
import { Button } from '../parts/button.tsx';
import { Block, CopyCommand } from '../parts/copy.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { Empty, ErrorBox } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Ago } from '../parts/time.tsx';

const EXAMPLE = `"archives": [{
  "name": "uploads",
  "source": { "account": "SOURCE", "container": "incoming" },
  "destination": { "account": "VAULT", "container": "{container}archive" },
  "reconcile": "0 0 * * * *"
}]`;

/** The archive rules, and how each stands. */
export function Archives() {
  const rules = usePolled('archives', (signal) => get('listArchives', 'archives', {}, signal));
  return (
    <Screen title="Archives">
      <Loaded of={rules}>
        {({ archives }) =>
          archives.length === 0 ? (
            <Empty title="There is no archive rule">
              <p>
                A rule copies every upload of a container as it arrives, each version exactly once. In strongroom.json:
              </p>
              <Block text={EXAMPLE} />
            </Empty>
          ) : (
            <div class="cards">
              {archives.map((rule) => (
                <RuleCard key={rule.name} name={rule.name} />
              ))}
            </div>
          )
        }
      </Loaded>
    </Screen>
  );
}

function RuleCard({ name }: { name: string }) {
  const rule = usePolled(
    `archive ${name}`,
    (signal) => get('getArchive', at`archives/${name}`, {}, signal),
    () => 30_000,
  );
  return (
    <section class="card">
      <h2>
        <a data-row href={link(at`/archives/${name}`)}>
          {name}
        </a>
      </h2>
      <Loaded of={rule} lines={4}>
        {(shown) => {
          const { source, destination, poison, receipts, reconcile } = shown;
          return (
            <>
              <p>
                {source.account} / <Name of={source.container} /> → {destination.account} /{' '}
                <Name of={archiveContainer(shown)} />
              </p>
              <p class="muted">Archives by {triggerWords(shown)}</p>
              <p>
                {receiptWords(shown)}
                {receipts.newest && (
                  <span class="muted">
                    {' '}
                    · the newest <Ago time={receipts.newest.at} />
                  </span>
                )}
              </p>
              <p>
                <Mark
                  mark={
                    poison.open === 0
                      ? { tone: 'good', shape: 'check', word: poisonWords(shown) }
                      : { tone: 'warn', shape: 'triangle', word: poisonWords(shown) }
                  }
                />
              </p>
              <div class="actions">
                <Reconcile rule={name} />
                {reconcile.next[0] !== undefined && (
                  <span class="small">
                    next by itself <Ago time={reconcile.next[0]} />
                  </span>
                )}
              </div>
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

/** Archives what no event has announced, now instead of at the next time of the schedule. */
export function Reconcile({ rule }: { rule: string }) {
  const { isBusy, error, begin } = useAction(async () => {
    const { id } = await post('startReconcile', at`archives/${rule}/reconcile`);
    go(link(at`/runs/${id}`));
  });
  return (
    <>
      <Button onClick={begin} isBusy={isBusy} why={lacking('run')}>
        Reconcile now
      </Button>
      <CopyCommand needs="run" line={commandOf('archive reconcile', [rule])} />
      {error && <ErrorBox error={error} />}
    </>
  );
}
