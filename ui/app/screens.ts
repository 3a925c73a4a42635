import type { FunctionComponent } from 'preact';
import { Archive } from '../screens/archive.tsx';
import { Archives } from '../screens/archives.tsx';
import { Browse } from '../screens/browse.tsx';
import { File } from '../screens/file.tsx';
import { Find } from '../screens/find.tsx';
import { Job } from '../screens/job.tsx';
import { Jobs } from '../screens/jobs.tsx';
import { Overview } from '../screens/overview.tsx';
import { Plan } from '../screens/plan.tsx';
import { Point } from '../screens/point.tsx';
import { Points } from '../screens/points.tsx';
import { Proof } from '../screens/proof.tsx';
import { Prune } from '../screens/prune.tsx';
import { Restore } from '../screens/restore.tsx';
import { Retention } from '../screens/retention.tsx';
import { Review } from '../screens/review.tsx';
import { Run } from '../screens/run.tsx';
import { Runs } from '../screens/runs.tsx';
import { Settings } from '../screens/settings.tsx';
import { Setup } from '../screens/setup.tsx';
import { Wizard } from '../screens/wizard.tsx';
import { match } from './route.ts';

/** A screen gets the parameters of its address. */
type AnyScreen = FunctionComponent<Record<string, string>>;

const screen = (of: FunctionComponent<never>) => of as AnyScreen;

/** Every screen by its address below `/ui`. The first that matches is shown. */
const SCREENS: readonly (readonly [pattern: string, screen: AnyScreen])[] = [
  ['/', screen(Overview)],
  ['/runs', screen(Runs)],
  ['/runs/{id}', screen(Run)],
  ['/find', screen(Find)],
  ['/file', screen(File)],
  ['/restore', screen(Restore)],
  ['/restore/review', screen(Review)],
  ['/points', screen(Points)],
  ['/points/{id}', screen(Point)],
  ['/points/{id}/browse', screen(Browse)],
  ['/points/{id}/proof', screen(Proof)],
  ['/prune', screen(Prune)],
  ['/prune/{id}', screen(Plan)],
  ['/archives', screen(Archives)],
  ['/archives/{rule}', screen(Archive)],
  ['/jobs', screen(Jobs)],
  ['/jobs/{job}', screen(Job)],
  ['/jobs/{job}/retention', screen(Retention)],
  ['/setup', screen(Setup)],
  ['/setup/config', screen(Wizard)],
  ['/settings', screen(Settings)],
];

/** The entries of the navigation, in order. */
export const SECTIONS: readonly (readonly [path: string, text: string])[] = [
  ['/', 'Overview'],
  ['/runs', 'Runs'],
  ['/restore', 'Restore'],
  ['/points', 'Restore points'],
  ['/prune', 'Prune'],
  ['/archives', 'Archives'],
  ['/jobs', 'Jobs'],
  ['/setup', 'Set-up'],
];

/** Screens that belong to the section of another path. */
const BELONGS: Readonly<Record<string, string>> = { '/find': '/restore', '/file': '/restore', '/settings': '' };

/** The section that a path belongs to. */
export function sectionOf(path: string): string {
  const first = `/${path.split('/')[1] ?? ''}`;
  return BELONGS[first] ?? first;
}

export function screenOf(path: string): { Screen: AnyScreen; params: Record<string, string> } | undefined {
  for (const [pattern, Screen] of SCREENS) {
    const params = match(pattern, path);
    if (params !== undefined) return { Screen, params };
  }
  return undefined;
}
