import { get } from '../app/api.ts';
import { basket } from '../app/basket.ts';
import { lacking } from '../app/caller.ts';
import { usePages } from '../app/pages.ts';
import { at, link, place } from '../app/router.ts';
import { isChosen } from '../model/basket.ts';
import { heldIn, NO_HISTORY, noVersions, sizeChange, type Version, withVersions } from '../model/file.ts';
import { shownName } from '../model/name.ts';
import { bytes, counted } from '../model/quantity.ts';
import { BasketBar } from '../parts/basket-bar.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Collect } from '../parts/collect.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { More } from '../parts/more.tsx';
import { Name } from '../parts/name.tsx';
import { Empty } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { Ago, At } from '../parts/time.tsx';

/** A blob and all of its versions that restore points hold: the one that the address names. */
export function File() {
  const { query } = place.value;
  const [job, container, name] = ['job', 'container', 'name'].map((each) => query.get(each) ?? '') as [
    string,
    string,
    string,
  ];
  return container === '' || name === '' ? <NoFile /> : <Versions {...{ job, container, name }} />;
}

function Versions({ job, container, name }: { job: string; container: string; name: string }) {
  const list = usePages(`file ${JSON.stringify([job, container, name])}`, (cursor, signal) =>
    get('blobHistory', 'blobs/history', { job, container, name, cursor }, signal),
  );
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  return (
    <Screen
      title={shownName(name)}
      heading={<Name of={name.slice(folder.length) || name} />}
      trail={[
        [link('/find', { job, q: name.slice(folder.length, folder.length + 100), container }), 'Find'],
        ...(job === '' ? [] : [[link(at`/jobs/${job}`), `Job ${job}`] as const]),
      ]}
    >
      <p class="where">
        <span class="muted">Container</span> <Name of={container} />
        {folder !== '' && (
          <>
            {' '}
            <span class="muted">Folder</span> <Name of={folder} />
          </>
        )}
      </p>
      <Loaded of={list}>
        {(pages) => {
          const all = pages.reduce(withVersions, NO_HISTORY);
          return (
            <>
              {all.versions.length === 0 ? (
                <Empty title="No version">
                  <p>{noVersions(all)}</p>
                </Empty>
              ) : (
                <ol class="versions" aria-label="Versions, the newest first">
                  {all.versions.map((version, index) => (
                    <VersionRow
                      key={version.etag}
                      {...{ job, container, name, version, older: all.versions[index + 1], isNewest: index === 0 }}
                    />
                  ))}
                </ol>
              )}
              {all.versions.length > 0 && all.absent > 0 && (
                <p class="muted">
                  {counted(all.absent, 'restore point')} that this job has without a blob of this name.
                </p>
              )}
              <More of={list}>Look in earlier restore points</More>
            </>
          );
        }}
      </Loaded>
      <BasketBar />
    </Screen>
  );
}

/** An address that was cut off. */
function NoFile() {
  return (
    <Screen title="File" trail={[[link('/find'), 'Find']]}>
      <Empty title="No file is chosen">
        <p>
          The address names a container and a blob in it, and may have been cut off.{' '}
          <a href={link('/find')}>Find a file</a>
        </p>
      </Empty>
    </Screen>
  );
}

interface VersionRowProps {
  job: string;
  container: string;
  name: string;
  version: Version;
  older: Version | undefined;
  isNewest: boolean;
}

function VersionRow({ job, container, name, version, older, isNewest }: VersionRowProps) {
  const { modified, size, md5, tier, etag, restorePoints } = version;
  const point = restorePoints[0]!;
  const change = sizeChange(version, older);
  const where = { point, job, container };
  return (
    <li class="card version">
      <div class="heading">
        <h2>
          <At time={modified} />{' '}
          <span class="muted">
            · <Ago time={modified} />
            {isNewest ? ' · the newest version' : ''}
          </span>
        </h2>
        <span class="actions">
          <Collect place={where} blob={{ name, size }} isChosen={isChosen(basket.value, where, name)} label="Collect" />
          {lacking('restore') === undefined ? (
            <ButtonLink
              kind={isNewest ? 'main' : 'plain'}
              to={link('/restore/review', { point: point.id, container, name })}
            >
              Restore this version
            </ButtonLink>
          ) : (
            <Button why={lacking('restore')}>Restore this version</Button>
          )}
        </span>
      </div>
      <p>
        <Bytes of={size} />
        {change !== null && (
          <span class="muted">
            {' '}
            ({change > 0 ? '+' : '−'}
            {bytes(Math.abs(change))})
          </span>
        )}
        {tier !== undefined && ` · ${tier}`}
        {md5 !== undefined && (
          <>
            {' '}
            · MD5 <code>{md5}</code>
          </>
        )}{' '}
        · ETag <code>{etag}</code>
      </p>
      <p>
        Held {heldIn(restorePoints, when)}{' '}
        <a href={link(at`/points/${point.id}`)}>
          Open the newest<span class="unseen"> restore point that holds the version of {when(modified)}</span>
        </a>
      </p>
    </li>
  );
}
