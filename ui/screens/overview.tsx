import { useEffect, useRef } from 'preact/hooks';
import { get } from '../app/api.ts';
import { now } from '../app/clock.ts';
import { usePolled } from '../app/poll.ts';
import { at, link } from '../app/router.ts';
import {
  type Attention,
  attentionOf,
  type Headline,
  headlineOf,
  type JobLine,
  jobLineOf,
  type OverviewAnswer,
  paceOf,
  type RuleLine,
  ruleLineOf,
} from '../model/overview.ts';
import { bytes, counted } from '../model/quantity.ts';
import { announce } from '../parts/announce.tsx';
import { ButtonLink } from '../parts/button.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark, Sign } from '../parts/mark.tsx';
import { Progress } from '../parts/progress.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { StartBackup } from '../parts/start-backup.tsx';
import { Strip } from '../parts/strip.tsx';
import { Ago, At } from '../parts/time.tsx';

/** Is everything all right? What is not, and how each job stands. */
export function Overview() {
  const polled = usePolled<OverviewAnswer>('overview', (signal) => get('overview', 'overview', {}, signal), paceOf);
  const known = polled.data && headlineOf(polled.data, now.value);
  // What was true when there was an answer is below, with its time.
  const headline = known && polled.error ? UNKNOWN : known;
  useSpoken(headline?.text);
  return (
    <Screen
      title={headline?.text ?? 'Overview'}
      tab={headline?.tab}
      heading={
        headline && (
          <span class="headline">
            <Sign {...headline.mark} /> {headline.text}
          </span>
        )
      }
    >
      <Loaded of={polled} lines={8}>
        {(overview) => <All overview={overview} headline={known!} />}
      </Loaded>
    </Screen>
  );
}

const UNKNOWN: Pick<Headline, 'mark' | 'text' | 'tab'> = {
  mark: { tone: 'quiet', shape: 'question', word: 'not known' },
  text: 'It is not known how things stand now',
  tab: '? Not known',
};

/** Says the sentence when it changes, not when it is first read. */
function useSpoken(text: string | undefined): void {
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (before.current !== undefined && text !== undefined && text !== before.current) announce(text);
    before.current = text ?? before.current;
  }, [text]);
}

function All({ overview, headline }: { overview: OverviewAnswer; headline: Headline }) {
  const { jobs, archives, vaults } = overview;
  const attention = attentionOf(overview);
  return (
    <>
      {headline.facts.length > 0 && <p class="facts">{headline.facts.join(' · ')}</p>}
      {headline.isNew && <First job={jobs[0]!.name} />}
      {attention.length > 0 && (
        <Section title="What needs attention">
          <ul class="attention">
            {attention.map((each) => (
              <Item key={each.id} {...each} />
            ))}
          </ul>
        </Section>
      )}
      {jobs.length > 0 && (
        <Section title={jobs.length === 1 ? 'Job' : 'Jobs'}>
          <ul class="lines">
            {jobs.map((job) => (
              <JobItem key={job.name} line={jobLineOf(job, now.value)} />
            ))}
          </ul>
        </Section>
      )}
      {archives.length > 0 && (
        <Section title={archives.length === 1 ? 'Archive rule' : 'Archive rules'}>
          <ul class="lines">
            {archives.map((rule) => (
              <RuleItem key={rule.name} line={ruleLineOf(rule, now.value)} />
            ))}
          </ul>
        </Section>
      )}
      <Vaults vaults={vaults} />
    </>
  );
}

function First({ job }: { job: string }) {
  return (
    <div class="card">
      <p>
        The app is running, and has not made a backup yet. Check that it may do what it has to do, then start the first
        backup: it copies everything, on the side of the storage service, and deletes nothing.
      </p>
      <div class="actions">
        <StartBackup job={job} kind="main">
          {`Start the first backup of ${job}`}
        </StartBackup>
        <ButtonLink to={link('/setup')}>Check the set-up</ButtonLink>
      </div>
    </div>
  );
}

function Item({ mark, title, message, hint, since, to, start }: Attention) {
  return (
    <li class={`box ${mark.tone}`}>
      <Sign {...mark} />
      <div class="what">
        <h3>
          <a href={link(to)} data-row>
            {title}
          </a>
          <span class="unseen">, {mark.word}</span>
        </h3>
        <p>
          <Hint of={message} />
          {since !== null && (
            <span class="muted">
              {' '}
              Since <At time={since} />.
            </span>
          )}
        </p>
        <p class="muted">
          <Hint of={hint} />
        </p>
      </div>
      {start !== null && (
        <div class="actions">
          <StartBackup job={start} />
        </div>
      )}
    </li>
  );
}

function JobItem({ line }: { line: JobLine }) {
  const { name, mark, detail, run, fraction, isRunning, next, point, verified, strip } = line;
  return (
    <li class="line">
      <div class="who">
        <h3>
          <a href={link(at`/jobs/${name}`)} data-row>
            {name}
          </a>
        </h3>
        <p class="small">{next === null ? 'no schedule' : <>next {<Ago time={next} />}</>}</p>
      </div>
      <div>
        {run === null ? (
          <Mark mark={mark} />
        ) : (
          <a class="plain" href={link(at`/runs/${run}`)}>
            <Mark mark={mark} />
          </a>
        )}
        <p class="small">{detail}</p>
        {isRunning && <Progress fraction={fraction} label={`Progress of ${name}`} />}
      </div>
      <div>
        {point === null ? (
          <p class="muted">No restore point</p>
        ) : (
          <>
            <p>
              <span class="small">Restore point </span>
              <a href={link(at`/points/${point.id}`)}>
                <At time={point.time} />
              </a>
            </p>
            <p class="small">
              {point.content}
              {point.lacks !== '' && `, without ${point.lacks}`}
              {point.isHeld && ' · on hold'}
              {point.isBraked && ' · safety brake'}
            </p>
          </>
        )}
      </div>
      <div>
        {verified === null ? (
          <p class="small">not verified</p>
        ) : (
          <>
            <Mark mark={verified.mark} />
            <p class="small">
              {verified.text}, <Ago time={verified.at} />
            </p>
          </>
        )}
      </div>
      <div class="days">{strip !== null && <Strip job={name} days={strip} />}</div>
    </li>
  );
}

function RuleItem({ line }: { line: RuleLine }) {
  const { name, mark, detail, next, failed } = line;
  return (
    <li class="line">
      <div class="who">
        <h3>
          <a href={link(at`/archives/${name}`)} data-row>
            {name}
          </a>
        </h3>
        <p class="small">{next === null ? '' : <>next {<Ago time={next} />}</>}</p>
      </div>
      <div>
        <Mark mark={mark} />
        <p class="small">{detail}</p>
      </div>
      <div>
        {failed === null ? (
          <p class="muted">Not known how many uploads failed</p>
        ) : failed > 0 ? (
          <Mark mark={{ tone: 'warn', shape: 'triangle', word: `${counted(failed, 'upload')} failed permanently` }} />
        ) : (
          <p class="small">No upload failed permanently</p>
        )}
      </div>
    </li>
  );
}

function Vaults({ vaults }: { vaults: OverviewAnswer['vaults'] }) {
  const known = vaults.flatMap(({ alias, held }) => (held ? [{ alias, ...held }] : []));
  if (known.length === 0) return null;
  return (
    <p class="small">
      {known.map(({ alias, blobs, kept, bytes: size, at: time }) => (
        <span>
          In {alias}: {bytes(size)} in {counted(blobs, 'blob')} and {counted(kept, 'earlier version')}, as of{' '}
          <At time={time} />.{' '}
        </span>
      ))}
    </p>
  );
}
