import { grouped } from '../print/amounts.ts';
import type { Session } from '../session.ts';
import { type Preview, type PreviewPage, previewOf } from './preview.ts';
import type { RestoreBody } from './restore-body.ts';

/** Milliseconds until a person has waited long enough for a preview. A dry run counts everything. */
const PATIENCE = 30_000;

/** Asks for the preview of a restore, page by page. It may end before it is complete. */
export async function readPreview(session: Session, body: RestoreBody): Promise<Preview> {
  const begin = session.world.now().getTime();
  const pages: PreviewPage[] = [];
  for (let cursor: string | undefined; ; ) {
    const { body: page } = await session.api.call<'previewRestore'>('POST', 'restores/preview', {
      body,
      query: { cursor },
    });
    pages.push(page);
    const isOver = session.world.now().getTime() - begin > PATIENCE;
    if (page.next === null || isOver) {
      session.progress.clear();
      return previewOf(pages);
    }
    cursor = page.next;
    session.progress.show(`previewed ${grouped(previewOf(pages).totals.items)} blobs`);
  }
}
