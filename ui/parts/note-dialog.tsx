import { useState } from 'preact/hooks';
import { post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { at } from '../app/router.ts';
import { commandOf } from '../model/command.ts';
import { byWords, NEEDS, type NoteAction } from '../model/notes.ts';
import type { ApiPoint } from '../model/points.ts';
import { Confirm } from './dialog.tsx';
import { ReasonDialog } from './reason-dialog.tsx';
import { when } from './shown-time.ts';

interface NoteDialogProps {
  action: NoteAction;
  point: Pick<ApiPoint, 'id' | 'job' | 'time' | 'hold' | 'brake' | 'removed'>;
  onDone: () => void;
  onClose: () => void;
}

const OPERATIONS = {
  hold: 'holdRestorePoint',
  unhold: 'unholdRestorePoint',
  unmark: 'unmarkRestorePoint',
  release: 'releaseRestorePoint',
} as const;

/** Asks before a restore point is held, or a protection is taken from it. */
export function NoteDialog({ action, point, onDone, onClose }: NoteDialogProps) {
  const [hasLooked, setLooked] = useState(false);
  const { id, job, time, hold, brake, removed } = point;
  const send = async (body?: object) => {
    await post(OPERATIONS[action], at`restore-points/${id}/${action}`, body);
    onDone();
  };
  const common = { onClose, why: lacking(NEEDS[action]) };
  const command = commandOf(`points ${action}`, [id]);
  switch (action) {
    case 'hold':
      return (
        <ReasonDialog
          {...common}
          title="Hold this restore point"
          action="Hold it"
          hint="Others see it in lists and plans, for example: audit 2026"
          command={(reason) => commandOf('points hold', [id], [['reason', reason]])}
          run={(reason) => send({ reason })}
        >
          <p>No prune removes the restore point of {when(time)} until someone with the role admin removes the hold.</p>
        </ReasonDialog>
      );
    case 'unhold':
      return (
        <Confirm {...common} command={command} title="Remove the hold" action="Remove the hold" isDanger run={send}>
          {hold && (
            <p>
              It was set {byWords(hold.by)} on {when(hold.at)}: “{hold.reason}”.
            </p>
          )}
          <p>
            From then on, the retention policy of {job} decides about this restore point: the next prune may remove it.
          </p>
        </Confirm>
      );
    case 'unmark':
      return (
        <Confirm {...common} command={command} title="Take back the mark" action="Take back the mark" run={send}>
          <p>
            {removed && `A prune marked it on ${when(removed.at)}. `}All of its content is there, and it can be restored
            again at once.
          </p>
          <p>The next prune may mark it again, by the same policy. Hold it to prevent that.</p>
        </Confirm>
      );
    case 'release':
      return (
        <Confirm
          {...common}
          command={command}
          title="Release the safety brake"
          action="Release the brake"
          isDanger
          why={common.why ?? (hasLooked ? undefined : 'Look at what has changed first.')}
          run={send}
        >
          {brake && (
            <>
              <p>It engaged because of this: {brake.reason}.</p>
              <p>
                From then on, prunes may remove older restore points again, and as much change as the last runs had
                counts as normal.
              </p>
            </>
          )}
          <label class="choice">
            <input type="checkbox" checked={hasLooked} onChange={(event) => setLooked(event.currentTarget.checked)} />I
            have looked at what changed, and it is intended
          </label>
        </Confirm>
      );
  }
}
