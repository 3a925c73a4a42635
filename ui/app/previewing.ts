import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../model/answer.ts';
import type { RestoreBody } from '../model/restore-choice.ts';
import { type Preview, withPreviewed } from '../model/review.ts';
import { CallError, post } from './api.ts';

export interface Previewing {
  preview: Preview | null;
  isCounting: boolean;
  error: ApiError | undefined;
  /** Counts what is left. */
  continue(): void;
  /** Counts from the start, as something may have changed. */
  again(): void;
}

/** Answers in a row, 20,000 blobs each, before the reader is asked whether to count on. */
const AT_ONCE = 5;
/** Milliseconds without a keystroke before a name that is being typed is tried. */
const STILL = 300;

/** Counts what a restore would do, answer by answer. Another body starts from the beginning; null counts nothing. */
export function usePreview(body: RestoreBody | null): Previewing {
  const about = body && JSON.stringify(body);
  const [state, setState] = useState<{
    about: string | null;
    preview: Preview | null;
    isCounting: boolean;
    error?: ApiError;
  }>({ about: null, preview: null, isCounting: false });
  const [round, setRound] = useState(0);
  const [from, setFrom] = useState<Preview | null>(null);

  useEffect(() => {
    if (body === null) return;
    let isOver = false;
    const count = async () => {
      let preview = state.about === about ? from : null;
      setState({ about, preview, isCounting: true });
      try {
        for (let answers = 0; answers < AT_ONCE; answers++) {
          const query = preview?.next ? `?cursor=${encodeURIComponent(preview.next)}` : '';
          const page = await post('previewRestore', `restores/preview${query}`, body);
          if (isOver) return;
          preview = withPreviewed(preview, page);
          setState({ about, preview, isCounting: preview.next !== null && answers + 1 < AT_ONCE });
          if (preview.next === null) return;
        }
      } catch (error) {
        if (isOver) return;
        if (!(error instanceof CallError)) throw error;
        setState({ about, preview: null, isCounting: false, error: error.problem });
      }
    };
    const timer = setTimeout(() => void count(), state.about === null ? 0 : STILL);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [about, round]);

  const isShown = state.about === about;
  const start = (before: Preview | null) => {
    setFrom(before);
    setRound((count) => count + 1);
  };
  return {
    preview: isShown ? state.preview : null,
    isCounting: body !== null && (!isShown || state.isCounting),
    error: isShown ? state.error : undefined,
    continue: () => start(state.preview),
    again: () => start(null),
  };
}
