import { useEffect, useState } from 'preact/hooks';
import { get } from '../app/api.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import { commandOf } from '../model/command.ts';
import { policyText, RULES } from '../model/job.ts';
import { reasonWords } from '../model/prune.ts';
import { rulesOf, settlesAt, type Trial, trialText, whatIfOptions } from '../model/retention.ts';
import { Button } from '../parts/button.tsx';
import { Block, Copy, CopyCommand } from '../parts/copy.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Mark } from '../parts/mark.tsx';
import { Empty, Note, ProblemNote } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { At } from '../parts/time.tsx';

/** Which restore points a policy keeps now: that of the job, or one to try. It changes nothing. */
export function Retention({ job }: { job: string }) {
  const rules = rulesOf(place.value.query);
  const about = `${job} ${JSON.stringify(rules)}`;
  const polled = usePolled(about, (signal) => get('tryRetention', at`jobs/${job}/retention`, rules, signal));
  return (
    <Screen
      title={`What retention keeps of ${job}`}
      trail={[
        [link('/jobs'), 'Jobs'],
        [link(at`/jobs/${job}`), job],
      ]}
    >
      <p>
        Try another policy on the restore points that are there. It is only an answer: nothing is marked or deleted.
      </p>
      <Rules key={job} job={job} rules={rules} />
      <Loaded of={polled}>{(trial) => <Result trial={trial} />}</Loaded>
    </Screen>
  );
}

function Rules({ job, rules }: { job: string; rules: Record<string, string> }) {
  const [given, setGiven] = useState(rules);
  // Back leads to other rules, and the button keeps the focus.
  useEffect(() => setGiven(rules), [JSON.stringify(rules)]);
  const set = (rule: string, value: string) => setGiven({ ...given, [rule]: value.trim() });
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        change({ ...Object.fromEntries(RULES.map(([rule]) => [rule, given[rule]])), keepWithin: given.keepWithin });
      }}
    >
      {RULES.map(([rule, word]) => (
        <label class="field">
          <span>{word}</span>
          <input
            class="short"
            type="number"
            min={1}
            max={10_000}
            value={given[rule] ?? ''}
            onInput={(event) => set(rule, event.currentTarget.value)}
          />
        </label>
      ))}
      <label class="field">
        <span>everything of</span>
        <input
          class="short"
          placeholder="30d"
          pattern="\d+[dh]"
          title="A number of days or hours, such as 30d or 12h"
          value={given.keepWithin ?? ''}
          onInput={(event) => set('keepWithin', event.currentTarget.value)}
        />
      </label>
      <Button submits kind="main">
        Try it
      </Button>
      <CopyCommand needs="read" line={commandOf('jobs what-if', [job], whatIfOptions(rules))} />
    </form>
  );
}

function Result({ trial }: { trial: Trial }) {
  const { restorePoints, problem, isComplete, isInForce, policy } = trial;
  const settled = settlesAt(policy);
  const { shown, rest } = useMany(restorePoints);
  return (
    <>
      <p class="lead">
        {trialText(trial)} {settled}
      </p>
      {problem && <ProblemNote of={problem} />}
      {!isComplete && (
        <Note tone="warn">There are more restore points than could be read: older ones are missing here.</Note>
      )}
      {policy !== null && !isInForce && <Snippet policy={policy} />}
      {restorePoints.length === 0 ? (
        <Empty title="There is no restore point yet" />
      ) : (
        <Section title="Restore points, the newest first">
          <Table caption="Restore points and what the policy does with them" head={['Restore point', 'Policy', 'Why']}>
            {shown.map(({ id, time, keep, reasons }) => (
              <tr key={id}>
                <th scope="row">
                  <a href={link(at`/points/${id}`)} data-row>
                    <At time={time} />
                  </a>
                </th>
                <td>
                  <Mark
                    mark={
                      keep
                        ? { tone: 'good', shape: 'check', word: 'keep' }
                        : { tone: 'warn', shape: 'dash', word: 'mark for removal' }
                    }
                  />
                </td>
                <td class="muted">{reasons.map(reasonWords).join(' · ')}</td>
              </tr>
            ))}
          </Table>
          {rest}
        </Section>
      )}
    </>
  );
}

function Snippet({ policy }: { policy: NonNullable<Trial['policy']> }) {
  const text = `"retention": ${JSON.stringify(policy)}`;
  return (
    <Section title={`To keep ${policyText(policy)}`} actions={<Copy text={text} what="the option" isShown />}>
      <p>
        Put this into the job in <code>strongroom.json</code>:
      </p>
      <Block text={text} />
    </Section>
  );
}
