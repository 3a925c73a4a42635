import { useAction } from '../app/action.ts';
import { post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { at, go, link } from '../app/router.ts';
import { commandOf } from '../model/command.ts';
import { Button } from './button.tsx';
import { CopyCommand } from './copy.tsx';
import { ErrorBox } from './problem.tsx';

interface StartBackupProps {
  job: string;
  kind?: 'plain' | 'main' | 'quiet';
  /** The reason why it cannot be used stands beside another button. */
  isWhyNear?: boolean;
  children?: string;
}

/** Starts a backup as the schedule does, and shows it. It asks nothing: a backup deletes nothing. */
export function StartBackup({ job, kind = 'plain', isWhyNear = false, children = 'Back up now' }: StartBackupProps) {
  const { begin, isBusy, error } = useAction(async () => {
    const { id } = await post('startRun', at`jobs/${job}/runs`, { mode: 'configured' });
    go(link(at`/runs/${id}`));
  });
  return (
    <>
      <Button
        kind={kind}
        isBusy={isBusy}
        why={lacking('run')}
        isWhyNear={isWhyNear}
        onClick={begin}
        label={children.includes(job) ? children : `${children}: ${job}`}
      >
        {children}
      </Button>
      <CopyCommand needs="run" line={commandOf('runs start', [job])} />
      {error && <ErrorBox error={error} />}
    </>
  );
}
